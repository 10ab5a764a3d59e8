"""Passing on to real receivers, and pairs of real senders: who is killed in between, and what is there at the end.

The server under test is the one that sends or the one that chooses; it is started here, with words of its own.
"""
import json
import os
import shlex
import subprocess
import time
import urllib.parse

import peers
from process import Failed, Process, free_port, key
from same import difference, soon
from target import Target

SERIES = 11


def now_ms():
    return time.time_ns() // 1_000_000


class Sender:
    """A Quipu that passes on, and may be killed."""

    def __init__(self, command, folder, words):
        self.folder, self.port = folder, free_port()
        os.makedirs(folder + '/data', exist_ok=True)
        self.words = [word.format(port=self.port, dir=folder + '/data') for word in shlex.split(command)] + words
        self.start()

    def start(self):
        self.it = Process('sender', self.words, self.folder, self.port, ['/ready', '/-/ready', '/health'])

    def kill(self):
        self.it.process.kill()
        self.it.process.wait()

    def write(self, rows, begin):
        """A request a row, a second apart, so that receivers that want order have it."""
        for row in rows:
            lines = '\n'.join(f'fw,host=h{i} value={row}.{i} {begin + row * 1000}' for i in range(SERIES))
            status, body = self.it.request('POST', '/write?precision=ms', lines)
            if status != 204:
                raise Failed(f'the sender answers {status}: {body[:200]!r}')

    def metric(self, name):
        lines = self.it.request('GET', '/metrics')[1].decode().splitlines()
        return sum(float(line.rsplit(' ', 1)[1]) for line in lines if line.startswith(name) and line[0] != '#')


def exported(server, ready):
    """{labels: [(ms, value)]} with every sample that the receiver keeps, those that are there twice too."""
    if ready == 'prometheus':
        return server.rows('fw_value', now_ms() + 1000, '2h')
    status, body = server.request('GET', '/api/v1/export?' + urllib.parse.urlencode({'match[]': 'fw_value'}))
    if status != 200:
        raise Failed(f'{server.name} answers {status} to an export')
    found = {}
    for line in body.decode().splitlines():
        series = json.loads(line)
        rows = found.setdefault(key(series['metric']), [])
        rows += zip(series['timestamps'], map(float, series['values']))
    return {labels: sorted(rows) for labels, rows in found.items()}


def receiver(name, folder, port):
    """A receiver on `port`; what it had before stays in `folder`."""
    if name == 'prometheus':
        config = os.path.join(folder, 'receiver.yml')
        with open(config, 'w') as file:
            file.write('global: {scrape_interval: 1h}\n')
        command = [peers.program('prometheus'), '--config.file=' + config, '--web.enable-remote-write-receiver',
                   f'--storage.tsdb.path={folder}/tsdb', f'--web.listen-address=127.0.0.1:{port}']
        return Process('receiver', command, folder, port, ['/-/ready'])
    command = [peers.program('victoria-metrics'), f'-storageDataPath={folder}/vm', f'-httpListenAddr=127.0.0.1:{port}',
               '-retentionPeriod=10y', '-search.latencyOffset=0s', '-inmemoryDataFlushInterval=100ms']
    if 'inmemoryDataFlushInterval' not in helped(command[0]):
        command.pop()
    return Process('receiver', command, folder, port, ['/health'])


def helped(program):
    done = subprocess.run([program, '-help'], capture_output=True, timeout=20)
    return (done.stdout + done.stderr).decode(errors='replace')


def passes_on(command, folder, name):
    """The receiver is stopped, the sender killed twice; all arrives, nothing twice."""
    port = free_port()
    far = receiver(name, folder, port)
    sender = Sender(command, folder, ['--forward-to', f'http://127.0.0.1:{port}/api/v1/write'])
    begin = (now_ms() - 300_000) // 1000 * 1000
    try:
        sender.write(range(0, 40), begin)
        soon(lambda: difference(wanted(40, begin), exported(far, name)))
        # Asked to end, so that what it acknowledged is on its disk: how the others keep that is their affair.
        far.stop()
        sender.write(range(40, 80), begin)
        sender.kill()
        sender.start()
        sender.write(range(80, 120), begin)
        sender.kill()
        sender.start()
        far = receiver(name, folder, port)
        soon(lambda: difference(wanted(120, begin), exported(far, name)), 40)
        soon(lambda: '' if sender.metric('quipu_remote_write_pending_records') == 0 else 'records wait')
        sender.kill()
        sender.start()
        sender.write(range(120, 121), begin)
        soon(lambda: difference(wanted(121, begin), exported(far, name)))
        print(f'   {121 * SERIES} samples are there once, at {name}', flush=True)
    finally:
        far.stop()
        sender.it.stop()


def wanted(rows, begin):
    return {key({'__name__': 'fw_value', 'host': f'h{i}'}): [(begin + row * 1000, float(f'{row}.{i}'))
                                                            for row in range(rows)] for i in range(SERIES)}


def to_victoriametrics(command, folder):
    passes_on(command, folder, 'victoria-metrics')


def to_prometheus(command, folder):
    passes_on(command, folder, 'prometheus')


FAILOVER_S = 4


def pair(command, folder):
    """Two Prometheus servers scrape one target and write to one Quipu; the one that is heard is killed."""
    target = Target()
    quipu = Sender(command, folder, ['--ha-dedup', '--ha-failover-after', f'{FAILOVER_S}s'])
    servers = {name: replica(name, quipu.it.address, target.address, folder) for name in ('a', 'b')}
    try:
        begun = now_ms()
        soon(lambda: '' if elected(folder) else 'nobody is elected')
        time.sleep(5)
        heard = elected(folder)
        servers[heard].process.kill()
        killed = now_ms()
        time.sleep(FAILOVER_S + 6)
        at = now_ms()
        rows = quipu.it.rows('static_requests_total', at)
        if not rows:
            raise Failed('nothing came of either')
        for labels, samples in rows.items():
            names = dict(labels)
            if '__replica__' in names or names.get('cluster') != 'eu':
                raise Failed(f'labels are {names}')
            times = [time for time, _ in samples]
            gaps = [right - left for left, right in zip(times, times[1:])]
            if len(set(times)) != len(times) or min(gaps) < 500:
                raise Failed(f'samples of both: {min(gaps)} ms apart')
            # A scrape a second, sent within a moment: the silence is noticed up to that much late.
            if max(gaps) > FAILOVER_S * 1000 + 3000:
                raise Failed(f'a gap of {max(gaps)} ms, with a failover after {FAILOVER_S} s')
            if times[-1] < killed + FAILOVER_S * 1000 or times[0] > begun + 15_000:
                raise Failed('the other was not heard')
        dropped = quipu.metric('quipu_ha_deduplicated_rows_total')
        if dropped == 0 or quipu.metric('quipu_ha_failovers_total') != 1:
            raise Failed(f'{dropped} rows deduplicated, {quipu.metric("quipu_ha_failovers_total")} failovers')
        print(f'   {len(rows)} series of one replica each time, {dropped:.0f} samples of the other dropped', flush=True)
    finally:
        for server in servers.values():
            server.stop()
        quipu.it.stop()
        target.close()


def elected(folder):
    """Whom the file names that outlives a restart."""
    if not os.path.exists(folder + '/data/replicas'):
        return ''
    with open(folder + '/data/replicas') as file:
        return file.read().splitlines()[1].split('"')[3]


def replica(name, to, target, folder):
    port, config = free_port(), os.path.join(folder, f'{name}.yml')
    with open(config, 'w') as file:
        file.write(f'''global: {{scrape_interval: 1s, scrape_timeout: 1s, external_labels: {{cluster: eu, __replica__: {name}}}}}
scrape_configs:
- {{job_name: static, static_configs: [{{targets: ['{target}']}}]}}
remote_write:
- url: http://{to}/api/v1/write
  queue_config: {{batch_send_deadline: 200ms, min_backoff: 50ms, max_backoff: 500ms}}
''')
    command = [peers.program('prometheus'), '--config.file=' + config, f'--storage.tsdb.path={folder}/{name}',
               f'--web.listen-address=127.0.0.1:{port}']
    return Process(f'prometheus-{name}', command, folder, port, ['/-/ready'])
