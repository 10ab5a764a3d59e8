#!/usr/bin/env python3
"""Sends each line of a corpus to InfluxDB 1 and to Quipu: status, message and kept rows have to be the same.

  lines.py QUIPU              both, compared; exit 1 where they differ
  lines.py --record           InfluxDB alone: writes tests/influx/answers.jsonl, which `make test` compares with

The corpus is tests/influx/lines.jsonl: a body a line, as a JSON text. Each body goes to a database of its own, so that no
field meets another of its name. Text fields are no rows: Quipu leaves them out. Python standard library only.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from urllib.parse import quote, urlencode

import peers
from process import Failed, Process, free_port

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(ROOT, 'tests/influx/lines.jsonl')
ANSWERS = os.path.join(ROOT, 'tests/influx/answers.jsonl')
CONFIG = '''reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{dir}/meta"
[data]
  dir = "{dir}/data"
  wal-dir = "{dir}/wal"
  query-log-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
[monitor]
  store-enabled = false
'''


def corpus():
    with open(CORPUS) as file:
        return [json.loads(line) for line in file if line.strip()]


def influxd(folder):
    port, rpc = free_port(), free_port()
    config = os.path.join(folder, 'influxdb.conf')
    with open(config, 'w') as file:
        file.write(CONFIG.format(dir=folder, port=port, rpc=rpc))
    return Process('influxd', [peers.program('influxd'), '-config', config], folder, port, ['/ping'])


def answer_of_influxd(server, index, body):
    db = f'c{index}'
    server.request('POST', '/query?' + urlencode({'q': f'CREATE DATABASE {db}'}))
    status, text = server.request('POST', f'/write?db={db}&precision=ns', body.encode())
    query = urlencode({'db': db, 'epoch': 'ns', 'q': 'SELECT * FROM /.*/ GROUP BY *'})
    rows = []
    for series in json.loads(server.request('GET', '/query?' + query)[1])['results'][0].get('series', []):
        for values in series['values']:
            tags = sorted([name, value] for name, value in series.get('tags', {}).items() if value)
            for field, value in zip(series['columns'][1:], values[1:]):
                if value is not None and not isinstance(value, str):
                    rows.append([series['name'], tags, field, values[0], float(value)])
    return {'status': status, 'error': error_of(text), 'rows': rows}


def answer_of_quipu(server, index, body):
    db = f'c{index}'
    status, text = server.request('POST', f'/write?db={db}&precision=ns', body.encode())
    export = server.request('GET', '/api/v1/export?match[]=' + quote('{db="%s"}' % db))[1].decode()
    rows = []
    for line in export.splitlines():
        line = json.loads(line)
        name = line['metric'].pop('__name__')
        line['metric'].pop('db')
        tags = sorted([tag, value] for tag, value in line['metric'].items())
        rows += [[name, tags, time, float(value)] for time, value in zip(line['timestamps'], line['values'])]
    return {'status': status, 'error': error_of(text), 'rows': rows}


def error_of(text):
    return json.loads(text)['error'] if text.strip() else ''


def metrics(rows):
    """Rows of InfluxDB as Quipu names and exports them: field by field, to the millisecond."""
    return [[f'{measurement}_{field}', tags, time // 10**6, value] for measurement, tags, field, time, value in rows]


def comparable(rows, now):
    """Rows without a time have the time of the request."""
    return sorted([name, tags, 'now' if abs(time - now) < 600_000 else time, value] for name, tags, time, value in rows)


def differences(bodies, expected, server):
    """What differs, as texts."""
    found, now = [], time.time() * 1000
    for index, (body, want) in enumerate(zip(bodies, expected)):
        got = answer_of_quipu(server, index, body)
        want_rows = comparable(metrics(want['rows']), now)
        for key, left, right in [('status', want['status'], got['status']), ('message', want['error'], got['error']),
                                 ('rows', want_rows, comparable(got['rows'], now))]:
            if left != right:
                found.append(f'{body[:80]!r}: {key} of InfluxDB is {left!r}, of Quipu {right!r}')
    return found


def record():
    bodies = corpus()
    with tempfile.TemporaryDirectory() as folder:
        server = influxd(folder)
        now = time.time() * 1e9
        answers = [answer_of_influxd(server, index, body) for index, body in enumerate(bodies)]
        server.stop()
    with open(ANSWERS, 'w') as file:
        for body, answer in zip(bodies, answers):
            # A time of 0 stands for that of the request.
            for row in answer['rows']:
                row[3] = 0 if abs(row[3] - now) < 600e9 else row[3]
            file.write(json.dumps({'body': body, **answer}, ensure_ascii=False) + '\n')
    print(f'lines: {len(answers)} answers of influxd recorded')


def both(quipu, folder):
    """What differs between the two, now."""
    bodies = corpus()
    os.makedirs(folder + '/influxd')
    server = influxd(folder + '/influxd')
    try:
        expected = [answer_of_influxd(server, index, body) for index, body in enumerate(bodies)]
    finally:
        server.stop()
    return differences(bodies, expected, quipu), len(bodies)


def influx_lines(server, folder):
    """A client of compat.py."""
    found, _ = both(server, folder)
    if found:
        raise Failed('; '.join(found[:3]))


def main():
    if sys.argv[1:] == ['--record']:
        record()
        return 0
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        words = [os.path.abspath(sys.argv[1]), 'serve', '--data', folder + '/data', '--listen', f'127.0.0.1:{port}']
        server = Process('quipu', words, folder, port, ['/ready'])
        try:
            found, count = both(server, folder)
        finally:
            server.stop()
    print('\n'.join(found) or f'lines: {count} bodies, the same status, message and rows')
    return 1 if found else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (Failed, OSError, IndexError, subprocess.SubprocessError) as error:
        sys.exit(f'lines: {error}')
