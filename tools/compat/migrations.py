"""Everything at once from one database to another: vmctl brings to Quipu, and `quipu import` fetches.

The other server is real and filled by its own door; what it says of its rows is what must be here afterwards, with every
import run twice. Python standard library only.
"""
import json
import os
import pty
import re
import select
import subprocess
import time
import urllib.parse

import peers
import wire
from clients import HARD_FLOATS, now_ms
from lines import influxd
from moving import ROWS, SERIES, START_S, make_blocks, text
from native import NativeTarget
from process import Failed, Process, free_port, key
from same import difference, must_equal, soon
from target import HARD_LABEL, VANISHES_AFTER, Target

DAY_MS = 86_400_000


def on_terminal(command, folder, patience_s=60):
    """Runs a program that wants to draw; what it drew, if it failed."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        end, said = time.monotonic() + patience_s, b''
        try:
            while time.monotonic() < end:
                if select.select([ours], [], [], 0.1)[0]:
                    said += os.read(ours, 1 << 16)
                elif child.poll() is not None:
                    break
        except OSError:
            # The other side of a terminal is gone.
            pass
        finally:
            os.close(ours)
            try:
                status = child.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
                raise Failed(f'{command[0]} is not done after {patience_s} s') from None
    if status != 0:
        raise Failed(f'{os.path.basename(command[0])} ends with {status}: {said.decode(errors="replace")[-400:]}')


def fetch(words, quipu, folder, times=2):
    """`quipu import`, again and again: the second changes nothing."""
    for _ in range(times):
        done = subprocess.run([peers.quipu(), 'import', *words, '--to', f'http://{quipu.address}'], cwd=folder,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=100)
        if done.returncode != 0:
            raise Failed(f'quipu import {" ".join(words)}: {done.stdout.decode(errors="replace").strip()[-400:]}')


def exported(server, selector):
    """{labels: [(ms, value)]} of all that a server of this form has."""
    status, body = server.request('GET', '/api/v1/export?' + urllib.parse.urlencode({'match[]': selector}))
    if status != 200:
        raise Failed(f'{server.name} answers {status} to an export: {body[:200]!r}')
    rows = {}
    # What VictoriaMetrics 1.79 writes is no JSON.
    body = re.sub(rb'\+?(-?)Inf\b', rb'\1Infinity', body)
    for line in map(json.loads, body.splitlines()):
        values = [float('nan') if value is None else float(value) for value in line['values']]
        rows.setdefault(key(line['metric']), []).extend(zip(line['timestamps'], values))
    return {labels: sorted(found, key=lambda row: row[0]) for labels, found in rows.items()}


# -- Blocks of Prometheus, and a Prometheus

def moving_rows():
    """What moving.text() says, read as numbers."""
    rows = {}
    for line in text().splitlines():
        if line[0] != '#':
            number = line.split('"')[1]
            value, stamp = line.rsplit(' ', 2)[1:]
            labels = key({'__name__': 'moving', 'series': number, 'odd': 'a "b" \\ ü'})
            rows.setdefault(labels, []).append((int(stamp) * 1000, float(value)))
    return rows


def moving_end():
    return (START_S + ROWS * 15 + 10) * 1000


def vmctl_blocks(quipu, folder):
    """A snapshot of Prometheus, as those move who come from there to VictoriaMetrics."""
    with open(folder + '/rows.om', 'w', encoding='utf-8') as out:
        out.write(text())
    make_blocks(folder + '/rows.om', folder + '/snapshot', folder)
    on_terminal([peers.program('vmctl'), 'prometheus', f'--prom-snapshot={folder}/snapshot',
                 f'--vm-addr=http://{quipu.address}', '-s'], folder)
    must_equal(moving_rows(), quipu.rows('moving', moving_end(), '3h'), 'vmctl prometheus')
    print(f'   {SERIES * ROWS} samples are equal', flush=True)


def remote_read(quipu, folder):
    """A Prometheus with old blocks and new scrapes: streamed chunks of both, native histograms, staleness."""
    with open(folder + '/rows.om', 'w', encoding='utf-8') as out:
        out.write(text())
    make_blocks(folder + '/rows.om', folder + '/tsdb', folder)
    target, native, port = Target(), NativeTarget(), free_port()
    with open(folder + '/prometheus.yml', 'w') as file:
        file.write(f'''global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- {{job_name: static, static_configs: [{{targets: ['{target.address}']}}]}}
- {{job_name: native, static_configs: [{{targets: ['{native.address}']}}]}}
''')
    peer = Process('prometheus', [
        peers.program('prometheus'), f'--config.file={folder}/prometheus.yml', f'--storage.tsdb.path={folder}/tsdb',
        '--storage.tsdb.retention.time=100y', f'--web.listen-address=127.0.0.1:{port}',
        '--enable-feature=native-histograms'], folder, port, ['/-/ready'])
    try:
        end = time.monotonic() + 30
        while min(target.scrapes, native.scrapes) <= VANISHES_AFTER + 2 and time.monotonic() < end:
            time.sleep(0.1)
        at = now_ms()
        fetch(['remote-read', f'http://{peer.address}', '--start', str(START_S), '--end', f'{START_S + 86_400}'], quipu,
              folder)
        fetch(['remote-read', f'http://{peer.address}', '--start', str(at // 1000 - 600), '--match', '{job=~".+"}'], quipu,
              folder)
        must_equal(moving_rows(), quipu.rows('moving', moving_end(), '3h'), 'remote read, old rows')
        expected = peer.rows('{job=~".+"}', at - 500)
        must_equal(expected, quipu.rows('{job=~".+"}', at - 500), 'remote read, new rows')
        if not expected or quipu.values('{__name__=~".*_vanishing"}', at):
            raise Failed('a series that ended is still there: its stale marker was lost')
        count = sum(map(len, expected.values()))
        print(f'   {SERIES * ROWS} old and {count} new samples are equal, of {len(expected)} series', flush=True)
    finally:
        peer.stop()
        target.close()
        native.close()


# -- VictoriaMetrics

def victoriametrics(quipu, folder):
    """A server with three days of rows: with --start a day at a time, without it all at once."""
    port, now = free_port(), now_ms() // 1000 * 1000
    peer = Process('victoria', [
        peers.program('victoria-metrics'), f'-storageDataPath={folder}/vm', f'-httpListenAddr=127.0.0.1:{port}',
        '-retentionPeriod=10y', '-search.latencyOffset=0s'], folder, port, ['/health'])
    try:
        # A series each: VictoriaMetrics keeps the values of one to a power of ten that they share.
        rows = [({'__name__': 'vm_hard', 'path': HARD_LABEL, 'i': str(i)}, [(now - i, value)])
                for i, value in enumerate(HARD_FLOATS)]
        rows.append(({'nameless': 'a'}, [(now, 3.0)]))
        rows += [({'__name__': 'vm_days', 'n': str(n)},
                  [(now - 3 * DAY_MS + k * 30_000, n + k / 8) for k in range(8640)]) for n in range(3)]
        status, answer = peer.request('POST', '/api/v1/write', wire.write_request(rows), wire.HEADERS)
        if status // 100 != 2:
            raise Failed(f'VictoriaMetrics refuses the rows: {status} {answer[:200]!r}')
        everything = '{__name__!=""}'
        peer.request('GET', '/internal/force_flush')
        soon(lambda: '' if sum(map(len, exported(peer, '{n=~".+"}').values())) == 3 * 8640 else 'rows are not there yet')
        expected = exported(peer, everything)
        fetch(['victoriametrics', f'http://{peer.address}', '--start', f'{now // 1000 - 4 * 86_400}', '--resume',
               folder + '/note'], quipu, folder)
        must_equal(expected, exported(quipu, everything), 'victoriametrics, a day at a time')
        fetch(['victoriametrics', f'http://{peer.address}', '--match', '{nameless="a"}', '--match', 'vm_hard'], quipu,
              folder)
        must_equal(exported(peer, '{nameless="a"}'), exported(quipu, '{nameless="a"}'), 'victoriametrics, no name')
        must_equal(expected, exported(quipu, everything), 'victoriametrics, all at once')
        print(f'   {sum(map(len, expected.values()))} samples are equal', flush=True)
    finally:
        peer.stop()


# -- InfluxDB 1

FIELDS_OF = {'cpu load': 25_000, 'days': 3_000, 'odd "name"': 10}


def filled_influxd(folder, untagged):
    """An InfluxDB with three measurements, and what its rows are called here.

    `untagged`: some rows of a measurement lack the tag that others have. vmctl 1.79 reads those twice: what it asks for
    the series without the tag gives the rows of all.
    """
    os.makedirs(folder + '/influxd')
    server = influxd(folder + '/influxd')
    server.request('POST', '/query?' + urllib.parse.urlencode({'q': 'CREATE DATABASE home'}))
    begin = (now_ms() - 2 * DAY_MS) // 1000 * 1000
    expected, lines = {}, []

    def row(measurement, tags, fields, at):
        name = measurement.replace(' ', '\\ ')
        place = ''.join(f',{tag}={value}'.replace(' ', '\\ ') for tag, value in tags.items())
        told = ','.join(f'{field}={shown}' for field, (shown, _) in fields.items())
        lines.append(f'{name}{place} {told} {at}')
        for field, (_, value) in fields.items():
            if value is not None:
                labels = key({'__name__': f'{measurement}_{field}', 'db': 'home', **tags})
                expected.setdefault(labels, []).append((at, value))

    for k in range(FIELDS_OF['cpu load']):
        row('cpu load', {'host': f'a b {k % 2}', 'dc': 'ü'}, {'idle': (repr(k / 7), k / 7)}, begin + k * 5_000)
    for k in range(FIELDS_OF['days']):
        row('days', {} if untagged and k % 2 == 0 else {'n': str(k % 2)}, {'on': ('true' if k % 3 else 'false', float(bool(k % 3)))},
            begin + k * 50_000)
    for k in range(FIELDS_OF['odd "name"']):
        fields = {'count': (f'{2**53 + k}i', float(2**53 + k)), 'text': (f'"said {k}"', None)}
        if k % 2:
            fields['second field'.replace(' ', '_')] = ('1e300', 1e300)
        row('odd "name"', {}, fields, begin + k)
    status, answer = server.request('POST', '/write?db=home&precision=ms', '\n'.join(lines).encode())
    if status != 204:
        raise Failed(f'InfluxDB refuses the rows: {status} {answer[:200]!r}')
    return server, expected, begin


def influx_server(quipu, folder):
    """Measurements with tags, floats, integers, booleans, texts: more rows than fit a chunk, over three days."""
    server, expected, begin = filled_influxd(folder, True)
    try:
        fetch(['influxdb', f'http://{server.address}', '--db', 'home', '--start', str(begin // 1000), '--resume',
               folder + '/note'], quipu, folder)
        must_equal(expected, exported(quipu, '{db="home"}'), 'influxdb, a day at a time')
        fetch(['influxdb', f'http://{server.address}', '--db', 'home', '--no-db-label'], quipu, folder, 1)
        bare = {key({name: value for name, value in labels if name != 'db'}): rows for labels, rows in expected.items()}
        must_equal(bare, exported(quipu, '{__name__=~".+",db=""}'), 'influxdb, all at once')
        print(f'   {sum(map(len, expected.values()))} samples are equal', flush=True)
    finally:
        server.stop()


def vmctl_influx(quipu, folder):
    """The same by vmctl, which leaves out texts too."""
    server, expected, _ = filled_influxd(folder, False)
    try:
        on_terminal([peers.program('vmctl'), 'influx', f'--influx-addr=http://{server.address}',
                     '--influx-database=home', f'--vm-addr=http://{quipu.address}', '-s'], folder)
        must_equal(expected, exported(quipu, '{db="home"}'), 'vmctl influx')
        print(f'   {sum(map(len, expected.values()))} samples are equal', flush=True)
    finally:
        server.stop()


# As in compat.py.
CLIENTS = [
    ('vmctl-prometheus', 'vmctl, `prometheus --prom-snapshot`', 'blocks that promtool made, brought by vmctl: every sample '
     'equal', vmctl_blocks, 'vmctl'),
    ('vmctl-influx', 'vmctl, `influx`', 'a database of InfluxDB 1 brought by vmctl: every sample equal', vmctl_influx,
     'vmctl'),
    ('import-remote-read', 'Prometheus, `quipu import remote-read`', 'old blocks and new scrapes fetched twice: samples, '
     'native histograms, stale markers equal to its own', remote_read, 'prometheus'),
    ('import-vm', 'VictoriaMetrics, `quipu import victoriametrics`', 'three days fetched twice, by the day and at once: '
     'every sample as its own export says', victoriametrics, 'victoria-metrics'),
    ('import-influxdb', 'InfluxDB 1, `quipu import influxdb`', 'measurements with four types of field fetched twice, by the '
     'day and at once: every sample equal', influx_server, 'influxd'),
]
