#!/usr/bin/env python3
"""What scraping costs: one exporter shows many targets, which Quipu scrapes and stores; then vmagent scrapes them and
VictoriaMetrics stores them. CPU seconds of the processes over the same number of scrapes, and their memory.

  scrape.py --quipu target/release/quipu                       1,000 targets of 1,000 series each 15 s
  scrape.py --quipu … --targets 100 --series 200 --rounds 2    a quick look
  scrape.py --quipu … --only quipu                             one side alone

Every series changes with every scrape, in one of eight ways. The exporter packs what it shows beforehand, so that its
own work does not take time from those it is scraped by. vmagent and victoria-metrics come from the Debian package
victoria-metrics.
"""
import argparse
import asyncio
import gzip
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from servers import free_port

VARIANTS = 8
TICKS = os.sysconf('SC_CLK_TCK')


def page(series, variant):
    """An exposition as a Go service shows it: counters and gauges of some families, with labels."""
    chance, lines = random.Random(variant), []
    families = max(1, series // 20)
    for family in range(families):
        kind = 'counter' if family % 2 else 'gauge'
        name = f'bench_family_{family}_total' if family % 2 else f'bench_family_{family}'
        lines += [f'# HELP {name} Of the benchmark, number {family}.', f'# TYPE {name} {kind}']
        for i in range(series // families):
            value = variant * 10 + i if family % 2 else chance.random() * 100
            lines.append(f'{name}{{handler="/api/v1/thing/{i}",method="GET",code="200"}} {value}')
    return ('\n'.join(lines) + '\n').encode()


class Exporter:
    """Answers every path; each target's answer changes from scrape to scrape. Runs in a process of its own."""

    def __init__(self, series):
        self.answers = []
        for variant in range(VARIANTS):
            packed = gzip.compress(page(series, variant), 6)
            head = ('HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Encoding: gzip\r\n'
                    f'Content-Length: {len(packed)}\r\n\r\n').encode()
            self.answers.append(head + packed)
        self.count = 0

    async def talk(self, reader, writer):
        try:
            while True:
                await reader.readuntil(b'\r\n\r\n')
                self.count += 1
                writer.write(self.answers[self.count % VARIANTS])
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def serve(self, port):
        server = await asyncio.start_server(self.talk, '127.0.0.1', port, limit=1 << 16)
        async with server:
            await server.serve_forever()


def cpu_s(pid):
    with open(f'/proc/{pid}/stat') as stat:
        fields = stat.read().rsplit(') ', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb(pid):
    with open(f'/proc/{pid}/status') as status:
        return next(int(line.split()[1]) for line in status if line.startswith('VmRSS')) / 1024


def config(folder, options, port):
    path = os.path.join(folder, 'scrape.yml')
    groups = [{'targets': [f'127.0.0.1:{port}'],
               'labels': {'__metrics_path__': f'/targets/{i}', 'instance': f'target-{i}'}}
              for i in range(options.targets)]
    with open(path, 'w') as file:
        json.dump({'global': {'scrape_interval': f'{options.interval}s'},
                   'scrape_configs': [{'job_name': 'bench', 'static_configs': groups}]}, file)
    return path


def quipu(folder, options, scrape):
    port = free_port()
    command = [os.path.abspath(options.quipu), 'serve', '--listen', f'127.0.0.1:{port}',
               '--data', os.path.join(folder, 'quipu'), '--scrape-config', scrape]
    return [command], f'http://127.0.0.1:{port}'


def victoria(folder, options, scrape):
    store, agent = free_port(), free_port()
    data = os.path.join(folder, 'victoria')
    return [
        ['victoria-metrics', f'-httpListenAddr=127.0.0.1:{store}', f'-storageDataPath={data}'],
        ['vmagent', f'-httpListenAddr=127.0.0.1:{agent}', f'-promscrape.config={scrape}',
         f'-remoteWrite.url=http://127.0.0.1:{store}/api/v1/write',
         f'-remoteWrite.tmpDataPath={os.path.join(folder, "vmagent")}'],
    ], f'http://127.0.0.1:{store}'


def ask(url, query):
    text = urllib.parse.urlencode({'query': query})
    with urllib.request.urlopen(f'{url}/api/v1/query?{text}', timeout=60) as answer:
        result = json.load(answer)['data']['result']
    return float(result[0]['value'][1]) if result else 0.0


def wait_for_all(url, options):
    """Until every target was taken once."""
    end = time.monotonic() + options.interval * 4 + 120
    while time.monotonic() < end:
        try:
            if ask(url, 'count(up{job="bench"} == 1)') >= options.targets:
                return
        except OSError:
            pass
        time.sleep(1)
    sys.exit(f'{url}: not all targets are up in time')


def measure(name, commands, url, options, folder):
    running = []
    try:
        for command in commands:
            log = open(os.path.join(folder, f'{os.path.basename(command[0])}.log'), 'ab')
            running.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder))
        wait_for_all(url, options)
        # A round more, so that all caches are warm and what the first rows cost is behind.
        time.sleep(options.interval)
        before = [cpu_s(process.pid) for process in running]
        time.sleep(options.interval * options.rounds)
        used = [cpu_s(process.pid) - start for process, start in zip(running, before)]
        rows = ask(url, 'sum(scrape_samples_scraped{job="bench"})')
        series = ask(url, 'count({job="bench",__name__=~"bench_family_1.*"})')
        result = {
            'name': name, 'cpu_s': round(sum(used), 2), 'cpu_s_each': [round(each, 2) for each in used],
            'cpu_us_a_sample': round(sum(used) * 1e6 / (rows * options.rounds), 3),
            'memory_mb': round(sum(memory_mb(process.pid) for process in running)),
            'samples_a_round': int(rows), 'series_of_a_part': int(series),
        }
        print(json.dumps(result), flush=True)
        return result
    finally:
        for process in reversed(running):
            process.terminate()
        for process in running:
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--quipu', default='target/release/quipu')
    parser.add_argument('--targets', type=int, default=1000)
    parser.add_argument('--series', type=int, default=1000)
    parser.add_argument('--interval', type=int, default=15, help='seconds')
    parser.add_argument('--rounds', type=int, default=4, help='scrapes of each target that are measured')
    parser.add_argument('--only', choices=['quipu', 'victoria'])
    parser.add_argument('--exporter', type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.exporter:
        asyncio.run(Exporter(options.series).serve(options.exporter))
        return
    port, folder = free_port(), tempfile.mkdtemp(prefix='quipu-scrape-')
    exporter = subprocess.Popen([sys.executable, os.path.abspath(__file__), '--exporter', str(port),
                                 '--series', str(options.series)])
    # Whatever goes wrong, the exporter ends with us.
    threading.Thread(target=exporter.wait, daemon=True).start()
    try:
        scrape = config(folder, options, port)
        results = {}
        for name, prepare in [('quipu', quipu), ('victoria', victoria)]:
            if options.only in (None, name):
                commands, url = prepare(folder, options, scrape)
                results[name] = measure(name, commands, url, options, folder)
        if len(results) == 2:
            ratio = results['quipu']['cpu_s'] / results['victoria']['cpu_s']
            print(f'quipu takes {ratio:.2f} of the CPU of vmagent and VictoriaMetrics')
    finally:
        exporter.terminate()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == '__main__':
    main()
