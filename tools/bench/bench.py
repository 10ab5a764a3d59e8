#!/usr/bin/env python3
"""Side-by-side benchmark of time-series databases: ingest, size on disk, queries, restart, crash.

  bench.py smoke   --work DIR                                    everything once, tiny, under a minute
  bench.py gen     --work DIR --scales small,main                makes request bodies
  bench.py run     --work DIR --targets quipu,prometheus,victoriametrics --scale main
  bench.py compare --work DIR --targets A,B --scale small        the same in three rounds by turns; ratios A / B
  bench.py query   --work DIR --targets ... --scale main         queries alone, on the data that run left
  bench.py crash   --work DIR --targets ... --scale small        kill -9 while loading: acknowledged, then missing
  bench.py real    --work DIR --targets ... --data FILE          bytes per sample of a real data set
  bench.py report  --out RESULTS.json                            the table again

A target is NAME, or NAME=KIND, or 'NAME=KIND:BINARY ARGUMENTS'; KIND is prometheus, victoriametrics, influxdb or
quipu. Only the standard library is used; servers listen on loopback only.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import load
import queries
import report
import servers

HERE = os.path.dirname(os.path.abspath(__file__))
SHARED = os.environ.get('QUIPU_SHARED', os.path.join(HERE, '../../../shared'))  # real data is not in the tree
MIB = 2**20
SCALES = {  # arguments of the generator; README says what each is for
    'tiny': '--hosts 10 --points 180',
    'small': '--hosts 100 --points 360',
    'main': '--hosts 1000 --points 120 --step 30',
    'long': '--hosts 100 --points 4320',
    'month': '--hosts 10 --points 8640 --step 300',
    'churn': '--workload pods --hosts 2000 --points 112 --step 30 --life 20 --proto rw',
    'million': '--hosts 9470 --points 3 --proto rw',
    'counters': '--hosts 100 --points 720 --step 15 --only counters --jitter 4',
    'gauges': '--hosts 100 --points 720 --step 15 --only gauges --jitter 4',
    'integers': '--hosts 100 --points 720 --step 15 --only integers --jitter 4',
    'text': '--hosts 50 --points 60 --proto text',
}


# -- one target

def idle(server, seconds=3):
    before = server.cpu_s()
    time.sleep(seconds)
    return {'cpu_percent': round((server.cpu_s() - before) / seconds * 100, 2),
            'rss_MiB': round(server.memory()['rss'] / MIB, 1)}


def ingest(server, work, scale, proto, connection_count):
    """Loads a whole scale into an empty, running server: the first point of each series, then the rest."""
    meta = load.meta_of(work, scale)
    first_ms = (meta['start_s'] + meta['step_s']) * 1000
    cpu, written = server.cpu_s(), server.written_bytes()
    cold = load.measured(server, load.connections(work, scale, proto, connection_count, end_ms=first_ms), proto)
    server.settle(20)
    cold['cpu_us_per_series'] = round((server.cpu_s() - cpu) / cold['samples'] * 1e6, 2)
    after_cold = server.memory()
    warm = load.measured(server, load.connections(work, scale, proto, connection_count, first_ms), proto)
    loaded = server.memory()
    server.flush()
    server.settle(60)
    samples, disk, settled = cold['samples'] + warm['samples'], server.disk(), server.memory()
    return {
        'cold': cold, 'warm': warm, 'samples': samples, 'series': meta['series'], 'disk': disk,
        'cpu_total_s_per_M': round((server.cpu_s() - cpu) / samples * 1e6, 4),
        'bytes_per_sample': round(disk['total'] / samples, 4),
        'bytes_per_sample_without_index': round((disk['total'] - disk.get('index', 0)) / samples, 4),
        'written_per_sample': round((server.written_bytes() - written) / samples, 3),
        'rss_cold_MiB': round(after_cold['rss'] / MIB, 1), 'rss_peak_MiB': round(settled['peak'] / MIB, 1),
        'rss_loaded_MiB': round(loaded['rss'] / MIB, 1), 'rss_settled_MiB': round(settled['rss'] / MIB, 1),
        'rss_peak_per_series': round(settled['peak'] / meta['series']),
        'error_count': cold['error_count'] + warm['error_count'], 'errors': cold['errors'] + warm['errors'],
    }


def median_of(rounds):
    """Field by field, over results of one shape."""
    first = rounds[0]
    if isinstance(first, dict):
        return {k: median_of([r[k] for r in rounds if k in r]) for k in first}
    if isinstance(first, (int, float)):
        return statistics.median(rounds)
    return first


def count_samples(server, meta):
    """All samples that queries can see; one query per metric, so that no limit of a server is met."""
    if server.influxql:
        answer = json.loads(server.query('', {'influxql': 'SELECT count(*) FROM /.*/'}))['results'][0]
        return sum(n or 0 for series in answer.get('series', []) for n in series['values'][0][1:])
    window = {'start': meta['start_s'] - 600, 'end': meta['end_s'] + 600}
    span, total = window['end'] - window['start'], 0
    for name in json.loads(server.query('label/__name__/values', window))['data']:
        asked = {'query': f'sum(count_over_time({name}[{span}s]))', 'time': window['end']}
        for series in json.loads(server.query('instant', asked))['data']['result']:
            total += int(float(series['value'][1]))
    return total


def restarts(server, meta, with_count):
    result = {}
    server.kill()
    result['restart_after_kill_s'] = round(server.start(), 3)
    if with_count:
        result['samples_found'] = count_samples(server, meta)
    result['clean_stop_s'] = round(server.stop(), 2)
    result['restart_after_stop_s'] = round(server.start(), 3)
    server.settle(30)
    result['idle_loaded'] = idle(server)
    result['rss_restarted_MiB'] = round(server.memory()['rss'] / MIB, 1)
    server.stop()
    return result


def protocols(server, wanted):
    """'auto' is remote write, or line protocol for a server whose own protocol that is."""
    if wanted == 'auto':
        wanted = 'influx' if server.influxql else 'rw'
    return [p for p in wanted.split(',') if p in server.paths]


# -- commands

def targets_of(a):
    return [servers.server(spec, a.work) for spec in a.targets.split(',')]


def saved(a):
    if a.out and os.path.exists(a.out):
        with open(a.out) as f:
            return json.load(f)
    return {}


def save(a, results):
    if a.out:
        with open(a.out, 'w') as f:
            json.dump(results, f, indent=1)


def run(a):
    """Ingest in rounds, targets by turns; then restarts; then, all servers up, the queries by turns."""
    results, targets, meta = saved(a) if a.keep else {}, targets_of(a), load.meta_of(a.work, a.scale)
    for n in range(a.rounds):
        for server in targets[n % len(targets):] + targets[:n % len(targets)]:
            mine = results.setdefault(server.name, {'scale': a.scale})
            for proto in protocols(server, a.proto):
                server.wipe()
                mine['start_empty_s'] = round(server.start(), 3)
                mine['idle_empty'] = idle(server)
                rounds = mine.setdefault('rounds_' + proto, [])
                rounds.append(ingest(server, a.work, a.scale, proto, a.connections))
                server.stop()
                mine['ingest_' + proto] = best = median_of(rounds)
                print(f"{server.name} {proto}: {best['warm']['cpu_s_per_M']} CPU s per M samples, "
                      f"{best['bytes_per_sample']} bytes per sample, {best['errors']}", flush=True)
            save(a, results)
    for server in targets:
        server.start()
        results[server.name].update(restarts(server, meta, a.scale not in ('churn', 'million')))
        save(a, results)
    if a.queries:
        ask_all(targets, meta, a, results)
    finish(a, results)
    return results


def ask_all(targets, meta, a, results):
    for server in targets:
        server.start()
        server.settle(20)
    answers = {'queries': queries.run(targets, meta, a.repeat, a.cap)}
    if a.cached:
        print('with caches')
        answers['queries_cached'] = queries.run(targets, meta, a.repeat, a.cap, cached=True)
    for server in targets:
        mine = results.setdefault(server.name, {})
        mine.update({block: of[server.name] for block, of in answers.items()})
        mine['rss_after_queries_MiB'] = round(server.memory()['rss'] / MIB, 1)
        server.stop()
    results['_differences'] = queries.differences(answers['queries'])


def finish(a, results):
    save(a, results)
    print(report.table(results, a.subject))
    for found in results.get('_differences', []):
        print('DIFFERS', found)


def compare(a):
    a.subject = a.targets.partition(',')[0].partition('=')[0]
    a.rounds = max(3, a.rounds)
    run(a)


def query(a):
    results = saved(a)
    ask_all(targets_of(a), load.meta_of(a.work, a.scale), a, results)
    finish(a, results)


def crash(a):
    results, meta = {}, load.meta_of(a.work, a.scale)
    for server in targets_of(a):
        proto = protocols(server, 'auto')[0]
        results[server.name] = rows = []
        for n in range(a.rounds):
            server.wipe()
            server.start()
            streams = load.connections(a.work, a.scale, proto, a.connections)
            sender = load.Load(server, streams, proto, rate=a.rate)
            acknowledged = sender.run(kill_after=int(meta['samples'] * (0.3 + 0.2 * (n % 4))))
            ready_s = server.start()
            found = count_samples(server, meta)
            server.stop()
            lost = max(0, acknowledged - found)
            rows.append({'acknowledged': acknowledged, 'found': found, 'lost': lost, 'ready_s': round(ready_s, 3),
                         'lost_s': round(lost / acknowledged * sender.killed_after_s, 2)})
            print(server.name, rows[-1], flush=True)
    save(a, results)
    return results


def real(a):
    results = {}
    for path in a.data.split(','):
        series = load.read_series(path)
        name = os.path.basename(path).partition('.')[0]
        results[name] = {'series': len(series), 'samples': sum(len(points) for _, points in series)}
        for server in targets_of(a):
            server.wipe()
            server.start()
            sent = load.measured(server, [load.frames_of_series(series)], 'rw')
            server.flush()
            server.settle(30)
            disk = server.disk()
            server.stop()
            results[name][server.name] = {
                'samples': sent['samples'], 'errors': sent['errors'],
                'bytes_per_sample': round(disk['total'] / sent['samples'], 3),
                'bytes_per_sample_without_index': round((disk['total'] - disk.get('index', 0)) / sent['samples'], 3)}
            print(name, server.name, results[name][server.name], flush=True)
    save(a, results)


def gen(a):
    built = os.path.join(os.path.abspath(a.work), 'target')
    subprocess.check_call(['cargo', 'build', '--release', '--locked', '--quiet', '--manifest-path',
                           HERE + '/tsgen/Cargo.toml'], env=dict(os.environ, CARGO_TARGET_DIR=built))
    for scale in a.scales.split(','):
        subprocess.check_call([built + '/release/tsgen', '--out', f'{a.work}/sets/{scale}', *SCALES[scale].split()])


def smoke(a):
    """Checks the bench itself: with every target that is installed, all samples arrive and all answers agree."""
    if a.targets == 'quipu':
        a.targets = ','.join(k for k, c in servers.KINDS.items() if shutil.which(c.program) and not c.influxql)
        if 'quipu' not in a.targets:
            print('smoke: no quipu on PATH: only its peers are tried')
    a.scales, a.scale, a.repeat, a.rounds = 'tiny', 'tiny', 3, 1
    gen(a)
    samples, problems = load.meta_of(a.work, 'tiny')['samples'], []
    results = run(a)
    for name in (n for n in results if not n.startswith('_')):
        if results[name]['samples_found'] != samples:
            problems.append(f"{name}: {results[name]['samples_found']} of {samples} samples found")
        problems += [f'{name}: {q}: {r["error"]}' for q, r in results[name]['queries'].items() if 'error' in r]
    problems += [f'answers differ: {d}' for d in results['_differences']]
    print('\n'.join(problems) or f'smoke: {a.targets} agree')
    return 1 if problems else 0


def show(a):
    print(report.table(saved(a), a.subject))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = {'smoke': smoke, 'gen': gen, 'run': run, 'compare': compare, 'query': query, 'crash': crash,
                'real': real, 'report': show}
    p.add_argument('command', choices=commands)
    p.add_argument('--work', default='bench-work', help='a scratch folder, which grows to some GB')
    p.add_argument('--targets', default='quipu', help='separated by commas')
    p.add_argument('--subject', default='quipu', help='the target that ratios are of')
    p.add_argument('--scale', default='small', help=', '.join(SCALES))
    p.add_argument('--scales', default='small,main', help='for gen')
    p.add_argument('--proto', default='auto', help='rw, influx, text, or several of them')
    p.add_argument('--connections', type=int, default=4)
    p.add_argument('--rate', type=float, help='samples per second, for crash; as fast as answered without it')
    p.add_argument('--rounds', type=int, default=1, help='figures are the median of the rounds')
    p.add_argument('--repeat', type=int, default=21, help='repetitions of each query class')
    p.add_argument('--cap', type=float, default=4.0, help='seconds for a class on a target, after three repetitions')
    p.add_argument('--no-queries', dest='queries', action='store_false')
    p.add_argument('--cached', action='store_true', help='ask again with result caches allowed')
    p.add_argument('--data', default=os.path.join(SHARED, 'bench/data/nab.tsx.xz'))
    p.add_argument('--out', help='results as JSON')
    p.add_argument('--keep', action='store_true', help='add to the results that --out already has')
    a = p.parse_args()
    a.work = os.path.abspath(a.work)
    os.makedirs(a.work, exist_ok=True)
    result = commands[a.command](a)
    sys.exit(result if isinstance(result, int) else 0)


if __name__ == '__main__':
    main()
