#!/usr/bin/env python3
"""Boards that refresh: 100 boards of 20 panels every 30 s, asked when they are due, whatever came back.

  boards.py --work DIR --targets quipu,prometheus,victoriametrics --seconds 120
  boards.py --work DIR --targets 'new=quipu:target/debug/quipu' --boards 20 --seconds 60

Each target is filled with rows of the last hours that end now; a writer then goes on, a row a series each 15 s.
Each board is opened once. Then panels are asked one by one, and boards one by one, the panels of a board at once:
the unloaded percentiles. Then all boards refresh by a clock. A panel is late by what it waited for a connection too,
so a server that falls behind is not spared. Boards share ranges and templates, as boards of one house do: every
board shows one service, eight panels are the same on all. Only the standard library is used.
"""
import argparse
import heapq
import json
import multiprocessing
import os
import queue
import random
import sys
import threading
import time

import servers
from load import percentile

HOSTS, SERVICES, STEP_S = 100, 20, 15
GAUGES = ['cpu_user', 'cpu_system', 'mem_used', 'disk_used']
COUNTERS = ['http_requests_total', 'http_errors_total', 'net_sent_total', 'net_received_total']
BUCKETS = ['0.01', '0.05', '0.1', '0.5', '1', '+Inf']
SHARED = [  # the same on every board
    'sum(rate(http_requests_total[1m]))',
    'sum by (service) (rate(http_errors_total[5m])) / sum by (service) (rate(http_requests_total[5m]))',
    'avg by (service) (cpu_user)',
    'topk(5, sum by (service) (rate(net_sent_total[1m])))',
    'max(mem_used)',
    'histogram_quantile(0.99, sum by (le) (rate(latency_bucket[5m])))',
    'count(up == 1)',
    'sum by (service) (rate(net_received_total[5m]))',
]
OWN = [  # of the board's service
    'sum(rate(http_requests_total{service="S"}[1m]))',
    'sum by (host) (rate(http_requests_total{service="S"}[1m]))',
    'sum(rate(http_errors_total{service="S"}[5m])) / sum(rate(http_requests_total{service="S"}[5m]))',
    'cpu_user{service="S"}',
    'avg(cpu_system{service="S"})',
    'max_over_time(mem_used{service="S"}[5m])',
    'disk_used{service="S"} / 100',
    'quantile(0.9, cpu_user{service="S"})',
    'histogram_quantile(0.9, sum by (le) (rate(latency_bucket{service="S"}[5m])))',
    'rate(net_sent_total{service="S"}[1m]) * 8',
    'sum(increase(http_errors_total{service="S"}[1h]))',
    'min_over_time(up{service="S"}[5m])',
]
RANGES = [(3600, 15), (3600, 15), (6 * 3600, 60), (24 * 3600, 300)]  # length and step, s; an hour twice as often


def series():
    """(metric, labels) of everything."""
    for host in range(HOSTS):
        labels = f'host=h{host},service=s{host % SERVICES}'
        for name in ['up', *GAUGES, *COUNTERS]:
            yield name, labels
        for bound in BUCKETS:
            yield 'latency_bucket', f'{labels},le={bound}'


SERIES = list(series())


def lines(time_s, seed):
    """A row of each series, as text exposition of line protocol: `name,labels value=V T`."""
    pick = random.Random(seed)
    out = []
    for name, labels in SERIES:
        if name == 'up':
            value = 1
        elif name in GAUGES:
            value = round(pick.uniform(0, 100), 2)
        else:
            share = BUCKETS.index(labels.rpartition('=')[2]) + 1 if name == 'latency_bucket' else 3
            value = int(time_s - 1.7e9) * share + pick.randrange(share)
        out.append((name, labels, value))
    return out


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, body):
    return varint(number << 3 | 2) + varint(len(body)) + body


def remote_write(times):
    """A remote write 1 request, which all targets take: all series, a row for each of these times."""
    import struct
    rows = [lines(t, t) for t in times]
    message = bytearray()
    for i, (name, labels) in enumerate(SERIES):
        pairs = sorted([('__name__', name), *(tuple(pair.split('=')) for pair in labels.split(','))])
        one = b''.join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in pairs)
        for t, of_time in zip(times, rows):
            sample = b'\x09' + struct.pack('<d', of_time[i][2]) + b'\x10' + varint(t * 1000)
            one += field(2, sample)
        message += field(1, one)
    return snappy(bytes(message))


def snappy(body):
    """Snappy's literal form: no smaller, but valid."""
    out = bytearray(varint(len(body)))
    for i in range(0, len(body), 65536):
        piece = body[i:i + 65536]
        out += bytes([61 << 2]) + (len(piece) - 1).to_bytes(2, 'little') + piece
    return bytes(out)


HEADERS = {'Content-Type': 'application/x-protobuf', 'Content-Encoding': 'snappy',
           'X-Prometheus-Remote-Write-Version': '0.1.0'}


def patiently(call):
    """Once more where the server has closed a connection that was kept: some do after a while."""
    try:
        return call()
    except (ConnectionResetError, BrokenPipeError):
        return call()


def write(server, times):
    body = remote_write(times)
    status, body = patiently(lambda: server.request('POST', server.paths['rw'], body, HEADERS))
    if status // 100 != 2:
        raise RuntimeError(f'HTTP {status}: {body[:200]!r}')


def panels(boards):
    """(board, expression, length, step) of every panel."""
    all_panels = []
    for board in range(boards):
        length, step = RANGES[board % len(RANGES)]
        own = [text.replace('"S"', f'"s{board % SERVICES}"') for text in OWN]
        all_panels += [(board, text, length, step) for text in SHARED + own]
    return all_panels


def ask(server, panel):
    _, text, length, step = panel
    end = int(time.time()) // step * step
    parameters = {'query': text, 'start': end - length, 'end': end, 'step': step}
    return len(patiently(lambda: server.query('range', parameters, cached=True)))


def shares(seconds):
    ordered = sorted(seconds)
    return {f'p{p}_ms': round(percentile(ordered, p / 100) * 1000, 2) for p in (50, 90, 99)} | {
        'max_ms': round(ordered[-1] * 1000, 2), 'count': len(ordered)}


def unloaded(server, some):
    """One panel after the other."""
    seconds = []
    for panel in some:
        began = time.perf_counter()
        ask(server, panel)
        seconds.append(time.perf_counter() - began)
    return shares(seconds)


def keep_writing(server):
    """A process of its own: to make rows takes time that those who ask would wait for."""
    due = int(time.time()) // STEP_S * STEP_S + STEP_S
    server.local = threading.local()
    while True:
        time.sleep(max(0, due - time.time()))
        write(server, [due])
        due += STEP_S


class Askers:
    """Threads that ask panels as they are put before them, and note how long after they were due."""

    def __init__(self, server, count):
        self.server, self.waiting, self.lock = server, queue.Queue(), threading.Lock()
        self.results, self.errors = [], []
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while True:
            due, panel = self.waiting.get()
            try:
                ask(self.server, panel)
                with self.lock:
                    self.results.append(time.perf_counter() - due)
            except Exception as error:  # counted; the run goes on
                with self.lock:
                    self.errors.append(repr(error)[:200])
            finally:
                self.waiting.task_done()

    def put(self, due, panels):
        for panel in panels:
            self.waiting.put((due, panel))

    def take(self):
        with self.lock:
            results, self.results = self.results, []
        return results


def boards_of(all_panels):
    boards = {}
    for panel in all_panels:
        boards.setdefault(panel[0], []).append(panel)
    return list(boards.values())


def one_by_one(askers, boards):
    """Each board when the one before is done."""
    for board in boards:
        askers.put(time.perf_counter(), board)
        askers.waiting.join()
    return askers.take()


def by_the_clock(askers, boards, every_s, seconds):
    """Each board is due once in `every_s`."""
    server, peak = askers.server, 0
    due = [(i * every_s / len(boards), i) for i in range(len(boards))]
    heapq.heapify(due)
    began, cpu = time.perf_counter(), server.cpu_s()
    while due[0][0] < seconds:
        at, i = heapq.heappop(due)
        heapq.heappush(due, (at + every_s, i))
        time.sleep(max(0, began + at - time.perf_counter()))
        askers.put(began + at, boards[i])
        peak = max(peak, server.memory()['rss'])
    time.sleep(max(0, began + seconds - time.perf_counter()))
    cpu, left = server.cpu_s() - cpu, askers.waiting.qsize()
    give_up = time.perf_counter() + 30
    while askers.waiting.unfinished_tasks and time.perf_counter() < give_up:
        time.sleep(0.05)
    return shares(askers.take() or [float('inf')]) | {
        'still_waiting': left, 'error_count': len(askers.errors), 'errors': askers.errors[:3],
        'cpu_percent': round(cpu / seconds * 100, 1), 'rss_peak_MiB': round(peak / 2**20, 1)}


def results_counters(server):
    """What Quipu tells of kept results; nothing of others."""
    try:
        page = server.ok('/metrics').decode()
    except RuntimeError:
        return {}
    pairs = (line.rsplit(' ', 1) for line in page.splitlines() if line.startswith('quipu_query_results_'))
    return {name.removeprefix('quipu_query_results_'): float(value) for name, value in pairs}


def one(spec, options):
    server = servers.server(spec, options.work)
    server.wipe()
    server.start()
    now = int(time.time()) // STEP_S * STEP_S
    times = list(range(now - options.hours * 3600, now + 1, STEP_S))
    for i in range(0, len(times), 40):
        write(server, times[i:i + 40])
    server.settle(30)
    all_panels = panels(options.boards)
    boards = boards_of(all_panels)
    writer = multiprocessing.Process(target=keep_writing, args=(server,), daemon=True)
    writer.start()
    askers = Askers(server, options.connections)
    opened = shares(one_by_one(askers, boards))
    alone = unloaded(server, random.Random(1).sample(all_panels, min(400, len(all_panels))))
    apart = shares(one_by_one(askers, boards))
    crowd = by_the_clock(askers, boards, options.every, options.seconds)
    writer.terminate()
    writer.join(30)
    memory = server.memory()
    result = {'opened': opened, 'panel_alone': alone, 'board_alone': apart, 'loaded': crowd,
              'kept': results_counters(server), 'p99_ratio': round(crowd['p99_ms'] / apart['p99_ms'], 2),
              'rss_MiB': round(memory['rss'] / 2**20, 1)}
    server.stop()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--work', required=True)
    parser.add_argument('--targets', default='quipu')
    parser.add_argument('--boards', type=int, default=100)
    parser.add_argument('--every', type=float, default=30, help='seconds between two refreshes of a board')
    parser.add_argument('--seconds', type=float, default=120, help='how long boards refresh')
    parser.add_argument('--hours', type=int, default=25, help='how much is there before')
    parser.add_argument('--connections', type=int, default=32)
    parser.add_argument('--out')
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    results = {}
    for spec in options.targets.split(','):
        name = spec.partition('=')[0]
        try:
            results[name] = one(spec, options)
        except (OSError, RuntimeError) as error:
            results[name] = {'failed': repr(error)}
        print(name, json.dumps(results[name], indent=1), flush=True)
    if options.out:
        with open(options.out, 'w') as out:
            json.dump(results, out, indent=1)
    worst = [r for r in results.values() if 'failed' in r or r['loaded']['error_count']]
    return 1 if worst else 0


if __name__ == '__main__':
    sys.exit(main())
