#!/usr/bin/env python3
"""What backups cost writers: rounds of `quipu bench ingest`, by turns without backups and with.

  backup.py --binary ./quipu --rounds 5 --seconds 8

Prints rows a second and the server's CPU seconds per million rows of each kind, as medians, and their ratios;
`paired` are quartiles of the ratios of neighbouring rounds, which say how much of it is the machine's mood.
Each kind has a server of its own; both run all the time, and go first by turns. Many short rounds tell more than few
long ones: a round with backups begins with one, so `--seconds 3` is a backup every three seconds of writing.
"""
import argparse, json, os, re, shutil, signal, statistics, subprocess, sys, tempfile, threading, time, urllib.request
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'torture'))
import rig

def cpu(pid):
    f = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split(); return (int(f[11]) + int(f[12])) / os.sysconf('SC_CLK_TCK')

def figure(t, name):
    for line in t.request('GET', '/metrics', new=True)[1].decode().splitlines():
        if line.startswith(name + ' ') or line.startswith(name + '{door="line"'): return float(line.rsplit(' ', 1)[1])
    return 0.0

def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--binary', required=True); p.add_argument('--rounds', type=int, default=5); p.add_argument('--seconds', type=int, default=8); p.add_argument('--log-every', default='10s'); p.add_argument('--gap', type=float, default=10, help='seconds between two backups; 0 is one after the other'); p.add_argument('--series', default='10000')
    a = p.parse_args(); scratch = tempfile.mkdtemp(prefix='quipu-bench-backup-'); kinds = {}
    for kind in ('without', 'with'):
        place = os.path.join(scratch, 'backups'); extra = f'--flush-rows 2000000 --backup-to {place} --backup-log-every {a.log_every}' if kind == 'with' else '--flush-rows 2000000'
        kinds[kind] = rig.Target(os.path.join(scratch, kind), None, a.binary, extra); kinds[kind].start()
    seen = {k: dict(rate=[], cpu=[]) for k in kinds}; made = [0]
    for number in range(a.rounds + 1):
        for kind, t in sorted(kinds.items(), reverse=number % 2 == 1):
            stop = threading.Event()
            def backups():
                while not stop.is_set():
                    status, body = t.request('POST', '/api/v1/admin/backup', timeout=300, new=True); made[0] += status == 200
                    if status != 200: print(status, body[:200])
                    stop.wait(max(a.gap, 0 if status == 200 else 0.2))
            th = threading.Thread(target=backups) if kind == 'with' else None
            if th: th.start()
            rows, used, began = figure(t, 'quipu_ingest_rows_total'), cpu(t.proc.pid), time.time()
            subprocess.run([a.binary, 'bench', 'ingest', '--against', f'http://127.0.0.1:{t.port}', '--for', f'{a.seconds}s', '--series', a.series], check=True, capture_output=True)
            took = time.time() - began; stop.set(); th and th.join()
            rows, used = figure(t, 'quipu_ingest_rows_total') - rows, cpu(t.proc.pid) - used
            if number: seen[kind]['rate'].append(rows / took); seen[kind]['cpu'].append(used / rows * 1e6)   # the first round warms up
            print(number, kind, round(rows / took), 'rows/s', round(used / rows * 1e6, 3), 'CPU s per million rows', flush=True)
    m = {k: {n: statistics.median(x) for n, x in v.items()} for k, v in seen.items()}
    paired = lambda n: [round(x, 3) for x in statistics.quantiles([w / o for w, o in zip(seen['with'][n], seen['without'][n])], n=4)]
    print(json.dumps(dict(rounds=a.rounds, backups=made[0], rows_per_s={k: round(v['rate']) for k, v in m.items()}, cpu_s_per_million={k: round(v['cpu'], 3) for k, v in m.items()},
        rate_ratio=round(m['with']['rate'] / m['without']['rate'], 3), cpu_ratio=round(m['with']['cpu'] / m['without']['cpu'], 3), paired=dict(rate=paired('rate'), cpu=paired('cpu'))), indent=1))
    for t in kinds.values(): t.stop()
    shutil.rmtree(scratch, ignore_errors=True)
main()
