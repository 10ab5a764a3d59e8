"""Prometheus above Quipu: it reads Quipu's rows by remote read, and federates its newest values."""
import math
import os
import time

import peers
from process import Failed, Process, free_port
from same import must_equal, soon

FLOATS = [1.5, -0.25, 1e300, 5e-324, 0.1]


def config(quipu, folder):
    path = os.path.join(folder, 'prometheus.yml')
    with open(path, 'w') as file:
        file.write(f'''global: {{scrape_interval: 1s, scrape_timeout: 1s}}
remote_read: [{{url: 'http://{quipu.address}/api/v1/read', read_recent: true}}]
scrape_configs:
- job_name: federate
  honor_labels: true
  metrics_path: /federate
  params: {{'match[]': ['{{__name__=~"federated.*"}}']}}
  static_configs: [{{targets: ['{quipu.address}']}}]
''')
    return path


def write(quipu, now):
    """Some minutes of two series that are only read, and one that is federated."""
    lines = [f'{name},host={host} value={value!r} {now - age * 1_000}'
             for name in ('read', 'federated') for host in 'ab'
             for age, value in enumerate(FLOATS * 40)]
    status, body = quipu.request('POST', '/write?precision=ms', '\n'.join(lines).encode())
    if status != 204:
        raise Failed(f'the rows were answered with {status}: {body[:200]}')


def above(quipu, folder, *features):
    now = time.time_ns() // 1_000_000
    write(quipu, now)
    port = free_port()
    command = [peers.program('prometheus'), '--config.file=' + config(quipu, folder),
               '--storage.tsdb.path=' + folder + '/tsdb', f'--web.listen-address=127.0.0.1:{port}', *features]
    peer = Process('prometheus', command, folder, port, ['/-/ready'])
    try:
        expected = quipu.rows('read_value', now)
        if sum(map(len, expected.values())) != 2 * len(FLOATS) * 40:
            raise Failed(f'Quipu itself has {expected}'[:300])
        must_equal(expected, peer.rows('read_value', now), 'rows by remote read', 0)
        for query in ('sum by (host) (sum_over_time(read_value[3m]))', 'max_over_time(read_value{host="b"}[100s])'):
            mine, theirs = quipu.values(query, now - 500), peer.values(query, now - 500)
            is_same = mine and mine.keys() == theirs.keys() and all(
                math.isclose(mine[labels], theirs[labels], rel_tol=1e-12) for labels in mine)
            if not is_same:
                raise Failed(f'{query}: {mine}, Prometheus says {theirs}')
        selector = 'federated_value{job="federate"}'
        soon(lambda: None if peer.values(f'count({selector})', time.time_ns() // 1_000_000) else 'nothing is federated')
        newest = {value for value in peer.values(selector, time.time_ns() // 1_000_000).values()}
        if newest != {FLOATS[0]}:
            raise Failed(f'federated values are {newest}, expected {FLOATS[0]}')
    finally:
        peer.stop()
    print(f'   {2 * len(FLOATS) * 40} samples by remote read are equal', flush=True)


def prometheus_above(quipu, folder):
    """Text from `/federate`."""
    above(quipu, folder)


def prometheus_above_native(quipu, folder):
    """Protobuf from `/federate`."""
    above(quipu, folder, '--enable-feature=native-histograms')
