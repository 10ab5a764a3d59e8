"""Clients that come from PyPI. Like those of clients.py, but left out where PyPI cannot be reached."""
import datetime
import json
import os
import subprocess
import sys
import time

import peers
from process import Failed, key
from same import must_equal

RUNS = 40
K6_SCRIPT = f'''import http from 'k6/http';
import {{ Counter, Trend }} from 'k6/metrics';
import {{ sleep }} from 'k6';
const trend = new Trend('mine_trend');
const counter = new Counter('mine_counter');
export const options = {{ vus: 1, iterations: {RUNS} }};
export default function () {{
  http.get(__ENV.TARGET + '/ping');
  trend.add(__ITER * 1.5 + 0.1, {{ kind: 'a b,c=d' }});
  counter.add(3);
  sleep(0.02);
}}
'''


def run(command, folder, environment, what):
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    said = done.stdout.decode(errors='replace').strip()
    if done.returncode != 0:
        raise Failed(f'{what}: {said[-400:]}')
    return said


def send(library, quipu, folder):
    """Runs senders.py with the library; returns the seconds that it was given."""
    now = int(time.time()) - 5
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'senders.py')
    run([sys.executable, '-W', 'ignore', script, library, str(quipu.port), str(now)], folder,
        {'PYTHONPATH': peers.PYTHON}, library)
    return now


def influx_one(quipu, folder):
    now = send('influxdb', quipu, folder)
    at, tags = now * 1000, {'db': 'py 1', 'host': 'a b', 'odd': 'ü,='}
    expected = {key({'__name__': f'py one_{field}', **tags}): [(at, value)]
                for field, value in (('float', 1.25), ('integer', 7.0), ('boolean', 1.0))}
    expected[key({'__name__': 'py_two_value', 'db': 'py 1', 'all': 'x'})] = [(at + k, k / 3) for k in range(1000)]
    expected[key({'__name__': 'py_raw_v', 'db': 'py 1', 'a': 'b'})] = [(at, 1.0)]
    expected[key({'__name__': 'py_raw_v', 'db': 'py 1', 'a': 'c'})] = [(at, 2.0)]
    must_equal(expected, quipu.rows('{__name__=~"py.*"}', at + 2000), 'influxdb')


def influx_two(quipu, folder):
    now = send('influxdb_client', quipu, folder)
    at, bucket = now * 1000, {'db': 'bucket'}
    expected = {key({'__name__': f'v2 one_{field}', 'host': 'a b', **bucket}): [(at, value)]
                for field, value in (('float', 0.1), ('integer', -3.0), ('boolean', 0.0))}
    expected[key({'__name__': 'v2 one_float', 'host': 'c', **bucket})] = [(at + 5, 2.5)]
    expected[key({'__name__': 'v2_good_v', **bucket})] = [(at, 1.0)]
    expected[key({'__name__': 'v2_batch_value', **bucket})] = [(at - k, k / 7) for k in reversed(range(1000))]
    for host, left in (('x', [2]), ('y', [0, 1, 2])):
        labels = key({'__name__': 'v2 gone_value', 'host': host, 'db': 'deleted'})
        expected[labels] = [(at + k * 1000, float(k)) for k in left]
    must_equal(expected, quipu.rows('{__name__=~"v2.*"}', at + 4000), 'influxdb-client')


def pushgateway(quipu, folder):
    """What an instant query sees of the groups that were pushed."""
    send('pushgateway', quipu, folder)
    seen = {}
    for row in quipu.ask('query', query='{__name__=~"pg_.*",__name__!~".*_created"}')['result']:
        labels = row['metric']
        seen[(labels.pop('job'), labels.pop('__name__'), tuple(sorted(labels.items())))] = row['value'][1]
    whole = {('pg_last_success_seconds', ()): '1.5', ('pg_files_total', (('kind', 'a "b"\n'),)): '3',
             ('pg_seconds_bucket', (('le', '1.0'),)): '1', ('pg_seconds_bucket', (('le', '5.0'),)): '1',
             ('pg_seconds_bucket', (('le', '+Inf'),)): '2', ('pg_seconds_count', ()): '2', ('pg_seconds_sum', ()): '7.5'}
    expected = {('batch', *series): value for series, value in whole.items()}
    for (name, labels), value in whole.items():
        expected[('a/b', name, tuple(sorted(labels + (('path', '/var/tmp'),))))] = value
    expected[('batch', 'pg_added', ())] = expected[('less', 'pg_added', ())] = '4'
    if seen != expected:
        raise Failed(f'groups: {set(expected.items()) ^ set(seen.items())}')
    times = quipu.ask('query', query='count(push_time_seconds > 0)')['result']
    if times[0]['value'][1] != '3':
        raise Failed(f'push_time_seconds: {times}')


def k6(quipu, folder):
    """One run with three outputs; what the file says is what InfluxDB's output and remote write must have brought."""
    with open(folder + '/script.js', 'w') as file:
        file.write(K6_SCRIPT)
    url = f'http://{quipu.address}'
    run([peers.program('k6'), 'run', '-q', '--no-color', '-e', f'TARGET={url}', '--out', 'json=points.json',
         '--out', f'influxdb={url}/k6db', '--out', 'experimental-prometheus-rw', 'script.js'], folder,
        {'K6_NO_USAGE_REPORT': 'true', 'K6_PROMETHEUS_RW_SERVER_URL': url + '/api/v1/write',
         'K6_PROMETHEUS_RW_TREND_AS_NATIVE_HISTOGRAM': 'true', 'K6_PROMETHEUS_RW_STALE_MARKERS': 'true',
         'K6_PROMETHEUS_RW_PUSH_INTERVAL': '200ms', 'K6_INFLUXDB_PUSH_INTERVAL': '200ms'}, 'k6')
    said = points(folder + '/points.json')
    at = int(time.time() * 1000) + 1000
    for name in ('mine_trend', 'mine_counter', 'http_req_duration', 'http_reqs'):
        rows = quipu.rows(f'{name}_value{{db="k6db"}}', at)
        if len(said[name]) != RUNS or len(rows) != 1:
            raise Failed(f'{name}: k6 says {len(said[name])} points, expected {RUNS}; {len(rows)} series arrived')
        must_equal({(): said[name]}, {(): next(iter(rows.values()))}, f'k6, InfluxDB, {name}')
    trend = [value for _, value in said['mine_trend']]
    (_, last), = [rows[-1] for rows in quipu.rows('k6_mine_trend', at).values()]
    must_equal({(): [(0, [float(RUNS), sum(trend)])]}, {(): [(0, last[:2])]}, 'k6, native histogram', 1e-12)
    (_, total), = [rows[-1] for rows in quipu.rows('k6_mine_counter_total', at).values()]
    if total != 3.0 * RUNS:
        raise Failed(f'k6, remote write: the counter ended at {total}, expected {3 * RUNS}')
    if left := quipu.ask('query', query='{__name__=~"k6_mine_.*"}', time=at / 1000)['result']:
        raise Failed(f'k6 ended and {len(left)} series are still there: stale markers were lost')


def points(path):
    """{metric: [(ms, value)]} of the file that k6 writes."""
    out = {}
    with open(path) as file:
        for line in map(json.loads, file):
            if line['type'] == 'Point':
                text, _, fraction = line['data']['time'].rstrip('Z').partition('.')
                whole = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
                millis = int(whole.timestamp()) * 1000 + int((fraction + '000')[:3])
                out.setdefault(line['metric'], []).append((millis, float(line['data']['value'])))
    return out


# As in compat.py.
EXTRAS = [
    ('influxdb', 'Python `influxdb`, InfluxDB 1', 'databases, policies, gzip, tags, four types of field, batches, a '
     'line refused: rows read back equal', influx_one, 'influxdb'),
    ('influxdb-client', 'Python `influxdb-client`, InfluxDB 2', 'health, gzip, points, a thread with batches, a line '
     'refused, rows deleted: rows read back equal', influx_two, 'influxdb-client'),
    ('pushgateway', 'Python `prometheus_client`, `push_to_gateway`', 'groups pushed, added to, replaced and deleted, '
     'labels in base64: an instant query sees what is left', pushgateway, 'prometheus-client'),
    ('k6', 'k6, `influxdb` and `experimental-prometheus-rw`', 'points equal to those of its JSON output; native '
     'histogram, counter, stale markers', k6, 'k6'),
]
