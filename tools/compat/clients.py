"""The clients, each a function from the server under test to nothing; what is wrong is raised as Failed.

Each writes through its own real program, and what it wrote is read back and compared with what the client itself
says, or with what is known of it.
"""
import gzip
import math
import os
import subprocess
import sys
import time

import peers
import wire
from process import Failed, Process, free_port, key
from native import NativeTarget
from same import difference, must_equal, soon
from target import HARD_LABEL, HARD_VALUES, VANISHES_AFTER, Target

SCRAPES = 12
HARD_FLOATS = [0.1, 1 / 3, -0.0, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan, 2.0**53]


def now_ms():
    return time.time_ns() // 1_000_000


def curl(url, body, headers, folder, expected):
    """Posts `body` with curl; the status must be the expected one."""
    path = os.path.join(folder, 'body')
    with open(path, 'wb') as file:
        file.write(body)
    command = [peers.program('curl'), '-sS', '-o', path + '.answer', '-w', '%{http_code}', '--max-time', '20',
               '--data-binary', '@' + path]
    for name, value in headers.items():
        command += ['-H', f'{name}: {value}']
    done = subprocess.run([*command, url], capture_output=True, timeout=30)
    status = done.stdout.decode()
    if status != str(expected):
        answer = open(path + '.answer', errors='replace').read() if os.path.exists(path + '.answer') else ''
        raise Failed(f'curl sees {status} {done.stderr.decode()}: {answer[:200]}')


def curl_line_protocol(quipu, folder):
    """Plain and gzip, three precisions, several fields a line, escapes, comments and blank lines."""
    now = now_ms()
    times = [now - 3000, now - 2000, now - 1000]
    lines = ['# a comment', '', f'lp_one,host=a,zone=z\\ 1 value=1.5,count=7i {times[0]}',
             f' lp_one,host=a,zone=z\\ 1 value=-2.25,count=8i {times[1]}\r']
    url = f'http://{quipu.address}/write?precision='
    curl(url + 'ms', '\n'.join(lines).encode(), {}, folder, 204)
    zipped = gzip.compress(f'lp_one,host=a,zone=z\\ 1 value=1e300,count=9i {times[2]}000000'.encode())
    curl(url + 'ns', zipped, {'Content-Encoding': 'gzip'}, folder, 204)
    curl(url + 's', f'lp_two,host=b ok=true {now // 1000 - 5}'.encode(), {}, folder, 204)
    labels = {'host': 'a', 'zone': 'z 1'}
    expected = {
        key({'__name__': 'lp_one_value', **labels}): list(zip(times, [1.5, -2.25, 1e300])),
        key({'__name__': 'lp_one_count', **labels}): list(zip(times, [7.0, 8.0, 9.0])),
        key({'__name__': 'lp_two_ok', 'host': 'b'}): [(now // 1000 * 1000 - 5000, 1.0)],
    }
    must_equal(expected, quipu.rows('{__name__=~"lp_.*"}', now), 'line protocol')


def curl_remote_write(quipu, folder):
    """Values that are hard to carry, a label that is, late rows, and the same request twice."""
    now = now_ms()
    times = [now - 1000 * (len(HARD_FLOATS) - i) for i in range(len(HARD_FLOATS))]
    hard = {'__name__': 'rw_hard', 'path': HARD_LABEL}
    late = {'__name__': 'rw_late'}
    first = wire.write_request([(hard, list(zip(times, HARD_FLOATS))), (late, [(now - 10, 2.0)])])
    second = wire.write_request([(late, [(now - 60_000, 1.0)])])
    for body in (first, second, first):
        curl(f'http://{quipu.address}/api/v1/write', body, wire.HEADERS, folder, 204)
    expected = {key(hard): list(zip(times, HARD_FLOATS)), key(late): [(now - 60_000, 1.0), (now - 10, 2.0)]}
    must_equal(expected, quipu.rows('{__name__=~"rw_.*"}', now), 'remote write')


# -- Prometheus

def prometheus_config(quipu, target, native, folder, port):
    path = os.path.join(folder, 'prometheus.yml')
    with open(path, 'w') as file:
        file.write(f'''global: {{scrape_interval: 1s, scrape_timeout: 1s, external_labels: {{}}}}
scrape_configs:
- {{job_name: static, static_configs: [{{targets: ['{target.address}']}}]}}
- {{job_name: native, static_configs: [{{targets: ['{native.address}']}}]}}
- {{job_name: prometheus, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}
remote_write:
- url: http://{quipu.address}/api/v1/write
  send_exemplars: true
  send_native_histograms: true
  queue_config: {{batch_send_deadline: 200ms, min_backoff: 50ms, max_backoff: 500ms}}
  metadata_config: {{send: true, send_interval: 1s}}
''')
    return path


def prometheus(quipu, folder):
    """Scrapes a target of ours and itself; samples, answers, metadata, exemplars and series equal to its own."""
    program, port = peers.program('prometheus'), free_port()
    target, native = Target(), NativeTarget()
    command = [program, '--config.file=' + prometheus_config(quipu, target, native, folder, port),
               '--storage.tsdb.path=' + folder + '/tsdb', f'--web.listen-address=127.0.0.1:{port}',
               '--enable-feature=exemplar-storage,native-histograms']
    begun = now_ms()
    peer = Process('prometheus', command, folder, port, ['/-/ready'])
    try:
        end = time.monotonic() + 40
        while min(target.scrapes, native.scrapes) < SCRAPES:
            if time.monotonic() > end:
                raise Failed(f'Prometheus scraped {target.scrapes} and {native.scrapes} times in 40 s: {peer.tail()}')
            time.sleep(0.1)
        compare_with_prometheus(quipu, peer, begun, now_ms() - 500)
    finally:
        peer.stop()
        target.close()
        native.close()


def compare_with_prometheus(quipu, peer, begun, at):
    for job in ('static', 'native', 'prometheus'):
        selector = f'{{job="{job}"}}'
        expected = peer.rows(selector, at)
        if not expected:
            raise Failed(f'Prometheus itself has nothing of the job {job}')
        soon(lambda: difference(expected, quipu.rows(selector, at)))
        count = sum(len(rows) for rows in expected.values())
        print(f'   job {job}: {len(expected)} series, {count} samples are equal', flush=True)
    first = min(rows[0][0] for rows in peer.rows('{job="static"}', at).values())
    compare_answers(quipu, peer, first, at)
    for query in ('static_vanishing', 'native_seconds{kind="vanishing"}'):
        if quipu.ask('query', query=query, time=at / 1000)['result']:
            raise Failed(f'{query} ended and is still there: its stale marker was lost')
    soon(lambda: metadata_difference(peer, quipu))
    window = {'query': '{job=~"static|native"}', 'start': begun / 1000, 'end': at / 1000}
    soon(lambda: exemplar_difference(peer.ask('query_exemplars', **window), quipu.ask('query_exemplars', **window)))
    what = {'match[]': '{job=~"static|native"}', 'start': begun // 1000, 'end': at // 1000 + 1}
    for path in ('series', 'labels', 'label/kind/values'):
        mine, theirs = (sorted(map(str, map(sorted_items, it.ask(path, **what)))) for it in (quipu, peer))
        if mine != theirs:
            raise Failed(f'{path}: {mine}, expected {theirs}'[:400])


def compare_answers(quipu, peer, first, at):
    """Two rules changed with Prometheus 3, and Quipu has the new ones; the questions leave both out.

    Whether a window holds its left edge: a second has ten steps, and none of them is near a scrape. How far a rate
    reaches back before a series began: windows begin after that.
    """
    for query in PROMETHEUS_QUERIES:
        start = first + 4_450 if '[' in query else first + 450
        expected = peer.matrix(query, start, at - 211, '1.3')
        if not expected:
            raise Failed(f'Prometheus itself answers nothing to {query}')
        must_equal(expected, quipu.matrix(query, start, at - 211, '1.3'), query, 1e-12)


PROMETHEUS_QUERIES = [
    '{job="static"}', 'rate(static_requests_total[3s])', 'sum by (path) (increase(static_requests_total[4s]))',
    'histogram_quantile(0.9, rate(static_latency_seconds_bucket[4s]))', 'avg_over_time(static_value{kind="tenth"}[3s])',
    'static_requests_total * on (instance) group_left () up', 'topk(2, static_requests_total)',
    '{job="native"}', 'histogram_count(rate(native_seconds[4s]))', 'histogram_sum(native_seconds)',
    'rate(native_seconds{kind=~"both|reset"}[4s])', 'max by (job) (up) and on () vector(1)', 'static_vanishing',
    'count({job="prometheus"})',
]


def sorted_items(value):
    return sorted(value.items()) if isinstance(value, dict) else value


def metadata_difference(peer, quipu):
    theirs = {name: entry for name, entry in peer.ask('metadata').items() if name.startswith(('static_', 'native_'))}
    mine = {name: entry for name, entry in quipu.ask('metadata').items() if name.startswith(('static_', 'native_'))}
    if not theirs:
        return 'Prometheus itself has no metadata'
    return '' if mine == theirs else f'metadata: {mine}, expected {theirs}'[:400]


def exemplar_difference(theirs, mine):
    def flat(answer):
        return {(key(one['seriesLabels']), key(it['labels']), float(it['value']), round(float(it['timestamp']) * 1000))
                for one in answer for it in one['exemplars']}
    theirs, mine = flat(theirs), flat(mine)
    if {dict(labels)['job'] for labels, *_ in theirs} != {'static', 'native'}:
        return f'Prometheus itself has too few exemplars: {theirs}'[:400]
    if theirs == mine:
        return ''
    return (f'exemplars: {len(theirs - mine)} of {len(theirs)} are missing, {len(mine - theirs)} should not be there, '
            f'such as {min(theirs ^ mine)}')


def promtool(quipu, folder):
    """Asks Quipu and a Prometheus with the same rows, and prints the same."""
    program, port = peers.program('promtool'), free_port()
    with open(folder + '/empty.yml', 'w') as file:
        file.write('global: {}\n')
    peer = Process('promtool-peer', [
        peers.program('prometheus'), '--config.file=' + folder + '/empty.yml', '--storage.tsdb.path=' + folder + '/t',
        f'--web.listen-address=127.0.0.1:{port}', '--web.enable-remote-write-receiver'], folder, port, ['/-/ready'])
    try:
        now = now_ms() // 1000 * 1000
        series = [({'__name__': 'tool_total', 'host': host, 'path': HARD_LABEL},
                   [(now - 60_000 + 5000 * k, float(k * k * (1 + n))) for k in range(12)])
                  for n, host in enumerate('abc')]
        body = wire.write_request(series)
        for server in (peer, quipu):
            status, answer = server.request('POST', '/api/v1/write', body, wire.HEADERS)
            if status // 100 != 2:
                raise Failed(f'{server.name} refuses the rows: {status} {answer[:200]!r}')
        at, start = now // 1000, (now - 60_000) / 1000 + 2.5
        for arguments in (['instant', f'--time={at}', '{}', 'sum by (host) (tool_total)'],
                          ['instant', f'--time={at}', '{}', 'tool_total[30s] offset 1s'],
                          ['instant', f'--time={at}', '{}', 'scalar(sum(tool_total))'],
                          ['range', f'--start={start}', f'--end={at}', '--step=5s', '{}', 'rate(tool_total[17s])'],
                          ['series', '--match=tool_total', f'--start={at - 300}', f'--end={at}', '{}'],
                          ['labels', '{}', 'host']):
            theirs, mine = (ask_with(program, arguments, server) for server in (peer, quipu))
            if sorted(mine) != sorted(theirs):
                raise Failed(f'promtool query {arguments}: {mine}, expected {theirs}'[:500])
    finally:
        peer.stop()


def ask_with(program, arguments, server):
    filled = [f'http://{server.address}' if word == '{}' else word for word in arguments]
    done = subprocess.run([program, 'query', *filled], capture_output=True, timeout=30)
    if done.returncode != 0:
        raise Failed(f'promtool query {arguments} on {server.name}: {done.stderr.decode()[-300:]}')
    return done.stdout.decode().splitlines()


# -- VictoriaMetrics' tools

def vmagent(quipu, folder):
    """Scrapes a target of ours; every value as the target said it, stale markers too."""
    program, port = peers.program('vmagent'), free_port()
    target = Target()
    with open(folder + '/scrape.yml', 'w') as file:
        file.write(f'''global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs: [{{job_name: vmagent, static_configs: [{{targets: ['{target.address}']}}]}}]
''')
    begun = now_ms()
    agent = Process('vmagent', [
        program, '-promscrape.config=' + folder + '/scrape.yml', f'-remoteWrite.url=http://{quipu.address}/api/v1/write',
        '-remoteWrite.tmpDataPath=' + folder + '/buffer', '-remoteWrite.flushInterval=200ms',
        f'-httpListenAddr=127.0.0.1:{port}'], folder, port, ['/health'])
    try:
        soon(lambda: vmagent_difference(quipu, target, begun), 40)
    finally:
        agent.stop()
        target.close()


def vmagent_difference(quipu, target, begun):
    """Compared with the pages that the target served: the n-th scrape counted to n."""
    at = now_ms()
    rows = quipu.rows('{job="vmagent"}', at)
    by_name = {}
    for labels, points in rows.items():
        labels = dict(labels)
        name, label = labels['__name__'], labels.get('path') or labels.get('kind') or labels.get('le')
        by_name[name, label] = points
    counted = by_name.get(('static_requests_total', '/'), [])
    if len(counted) < SCRAPES:
        return f'{len(counted)} of {SCRAPES} scrapes have arrived'
    numbers = [value / 7 for _, value in counted]
    if numbers != [float(n) for n in range(1, len(numbers) + 1)]:
        return f'scrapes are {numbers}, expected each once and in order'
    times = [time for time, _ in counted]
    if not (begun <= times[0] and times[-1] <= at and times == sorted(set(times))):
        return f'times are {times}, begun {begun}, now {at}'
    count = len(times)
    expected = {('static_requests_total', HARD_LABEL): [float(n + 1) for n in range(count)],
                ('static_latency_seconds_bucket', '0.1'): [float(n + 1) for n in range(count)],
                ('static_latency_seconds_sum', None): [(n + 1) * 1.5 for n in range(count)],
                ('static_vanishing', None): [1.0] * VANISHES_AFTER, ('up', None): [1.0] * count}
    expected.update({('static_value', kind): [float(text)] * count for kind, text in HARD_VALUES.items()})
    wanted = {(f'{name}/{label}',): list(zip(times, values)) for (name, label), values in expected.items()}
    found = {(f'{name}/{label}',): points for (name, label), points in by_name.items() if (name, label) in expected}
    if problem := first_difference(wanted, found):
        return problem
    if quipu.values('static_vanishing{job="vmagent"}', at):
        return 'a series that ended is still there: its stale marker was lost'
    print(f'   {len(rows)} series, {count} scrapes are as the target said', flush=True)
    return ''


def first_difference(wanted, found):
    for name in wanted:
        if problem := difference({(): wanted[name]}, {(): found.get(name, [])}):
            return f'{name[0]}: {problem}'
    return ''


def vmalert(quipu, folder):
    """Asks Quipu as its data source and writes a recorded series back to it."""
    program, port = peers.program('vmalert'), free_port()
    now = now_ms()
    body = wire.write_request([({'__name__': 'alert_input', 'n': str(n)}, [(now, float(n))]) for n in (1, 2, 3)])
    status, answer = quipu.request('POST', '/api/v1/write', body, wire.HEADERS)
    if status // 100 != 2:
        raise Failed(f'rows are refused: {status} {answer[:200]!r}')
    with open(folder + '/rules.yml', 'w') as file:
        file.write('groups: [{name: g, interval: 1s, rules: [{record: "alert:sum", expr: "sum(alert_input)", '
                   'labels: {from: vmalert}}]}]\n')
    url = f'http://{quipu.address}'
    peer = Process('vmalert', [
        program, '-rule=' + folder + '/rules.yml', '-datasource.url=' + url, '-remoteWrite.url=' + url,
        '-remoteWrite.flushInterval=200ms', f'-httpListenAddr=127.0.0.1:{port}'],
        folder, port, ['/health'])
    try:
        expected = {key({'__name__': 'alert:sum', 'from': 'vmalert'}): 6.0}
        soon(lambda: '' if (found := quipu.values('{__name__="alert:sum"}', now_ms())) == expected
             else f'recorded {found}, expected {expected}; {peer.tail()}')
    finally:
        peer.stop()


# -- remote write 2.0

def remote_write_2(server_command, folder):
    """Start timestamps and native histograms, as Prometheus' own test data loads and asks them."""
    shared = os.environ.get('QUIPU_SHARED', os.path.join(peers.ROOT, '../shared'))
    suite = os.path.join(shared, 'conformance/promql')
    if not os.path.isdir(suite):
        raise peers.Missing(f'no test data in {suite}: set QUIPU_SHARED')
    command = [sys.executable, suite + '/run.py', '--start', server_command, suite + '/start_timestamps.test',
               suite + '/native_histograms.test', '--native-histograms', '--start-timestamps']
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    said = done.stdout.decode(errors='replace').strip().splitlines()
    if done.returncode != 0:
        raise Failed('; '.join(said[-3:])[-400:])
    print('   ' + said[-1], flush=True)
