"""Clients of npm other than OpenTelemetry's: what they send, or show to who scrapes them, is what arrives."""
import os
import shlex
import time

import peers
from extras import run
from process import Failed, Process, free_port, key
from same import must_equal, soon

SENDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'node_sender.cjs')
# What `filled` of node_sender.cjs counts; bounds are written as Prometheus 3 does.
WHOLE = {('node_last_success', ()): 1.5, ('node_files_total', (('kind', 'a "b"\n\\'),)): 3.0,
         ('node_seconds_bucket', (('le', '1.0'),)): 1.0, ('node_seconds_bucket', (('le', '5.0'),)): 1.0,
         ('node_seconds_bucket', (('le', '+Inf'),)): 2.0, ('node_seconds_count', ()): 2.0, ('node_seconds_sum', ()): 7.5,
         ('node_sizes', (('quantile', '0.5'),)): 2.0, ('node_sizes_count', ()): 3.0, ('node_sizes_sum', ()): 6.0}


def send(what, quipu, folder):
    now = int(time.time()) - 5
    run([peers.program('node'), SENDER, what, str(quipu.port), str(now)], folder,
        {'NODE_PATH': f'{peers.NODE}/node_modules'}, what)
    return now


def pushes(quipu, folder):
    """What an instant query sees of the groups that were pushed."""
    send('prom-push', quipu, folder)
    found = quipu.values('{__name__=~"node_.*"}', int(time.time() * 1000) + 1000)
    expected = {}
    for own in ({'job': 'batch'}, {'job': 'a b', 'path': 'ü=&'}):
        expected |= {key({'__name__': name, **dict(labels), **own}): value for (name, labels), value in WHOLE.items()}
    for job in ('batch', 'less'):
        expected[key({'__name__': 'node_added', 'job': job})] = 4.0
    if found != expected:
        raise Failed(f'groups: {sorted(set(expected.items()) ^ set(found.items()))[:4]}')
    told = quipu.ask('metadata', metric='node_last_success')['node_last_success']
    if [(it['type'], it['help']) for it in told] != [('gauge', 'When it "went" well.')]:
        raise Failed(f'metadata is {told}')


def scraped(command, folder):
    """A Node process with prom-client, scraped: its own metrics and those of the process."""
    port, page = free_port(), free_port()
    with open(folder + '/quipu.yml', 'w') as file:
        file.write(f'''global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs: [{{job_name: node, static_configs: [{{targets: ['127.0.0.1:{page}']}}]}}]
''')
    words = [word.format(port=port, dir=folder + '/data') for word in shlex.split(command)]
    os.environ['NODE_PATH'] = f'{peers.NODE}/node_modules'
    node = Process('node', [peers.program('node'), SENDER, 'prom-serve', str(page)], folder, page, ['/metrics'])
    quipu = Process('server', [*words, '--config', folder + '/quipu.yml'], folder, port, ['/ready'])
    try:
        own = {'job': 'node', 'instance': f'127.0.0.1:{page}'}
        expected = {key({'__name__': name, **dict(labels), **own}): value for (name, labels), value in WHOLE.items()}
        names = '|'.join({name for name, _ in WHOLE})
        soon(lambda: '' if quipu.values(f'{{__name__=~"{names}"}}', int(time.time() * 1000)) == expected
             else 'the page is not there yet')
        status, text = node.request('GET', '/metrics')
        shown = {line.split()[2] for line in text.decode().splitlines() if line.startswith('# TYPE')}
        known = set(quipu.ask('metadata'))
        if status != 200 or not {'nodejs_eventloop_lag_seconds', 'process_cpu_seconds_total'} <= shown & known:
            raise Failed(f'of the families of the process {sorted(shown - known)[:5]} are missing')
    finally:
        quipu.stop()
        node.stop()


def influx(quipu, folder):
    now = send('influx', quipu, folder) * 1000
    own = {'host': 'a b', 'db': 'bucket'}
    expected = {key({'__name__': 'js batch_third', **own}): [(now + k, k / 3) for k in range(1000)],
                key({'__name__': 'js batch_count', **own}): [(now + k, float(k)) for k in range(1000)],
                key({'__name__': 'js_odd_on', 'odd': 'ü,= ', **own}): [(now, 1.0)],
                key({'__name__': 'js_good_v', 'db': 'bucket'}): [(now, 1.0)]}
    must_equal(expected, quipu.rows('{__name__=~"js.*"}', now + 2000), '@influxdata/influxdb-client')


def remote_write(quipu, folder):
    now = send('remote-write', quipu, folder) * 1000
    labels = key({'__name__': 'js_written', 'host': 'ü "b"', 'service': 'all'})
    must_equal({labels: [(now + k, k / 7) for k in range(10)]}, quipu.rows('js_written', now + 2000),
               'prometheus-remote-write')


# As in compat.py.
CLIENTS = [
    ('prom-client', 'Node `prom-client`, `Pushgateway`', 'groups pushed, added to, replaced and deleted: an instant query '
     'sees what is left; metadata', pushes, 'prom-client'),
    ('prom-client-scraped', 'Node `prom-client`, scraped', 'counter, gauge, histogram, summary: values equal; the process\' '
     'own families', scraped, 'prom-client'),
    ('influxdb-client-js', 'Node `@influxdata/influxdb-client`', 'gzip, batches, four types of field, a line refused: rows '
     'read back equal', influx, '@influxdata/influxdb-client'),
    ('remote-write-js', 'Node `prometheus-remote-write`', 'no version and no encoding in its headers: rows read back equal',
     remote_write, 'prometheus-remote-write'),
]
STARTERS = (scraped,)
