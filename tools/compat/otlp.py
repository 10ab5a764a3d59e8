"""OpenTelemetry's SDKs of Python and of Node: what they count is what arrives, by every protocol of OTLP.

Each sends twice, cumulative and as differences; how an SDK ends (it may send once more) changes no value.
"""
import os
import sys
import time

import peers
from extras import run
from process import Failed, Process, free_port, key
from same import must_equal, soon

FOLDER = os.path.dirname(os.path.abspath(__file__))
OWN = {'job': 'web/shop', 'instance': 'one'}
# Of both rounds.
VALUES = {
    'requests_total': [({'path': '/a', 'http_status': '200'}, 6.0), ({'path': '/b "q"'}, 9.0)],
    'queue_length': [({}, -4.0)],
    'room_warmth_celsius': [({'floor': '1'}, -21.5)],
    'latency_seconds_bucket': [({'le': '0.1'}, 4.0), ({'le': '1'}, 4.0), ({'le': '10'}, 6.0), ({'le': '+Inf'}, 8.0)],
    'latency_seconds_count': [({}, 8.0)],
    'latency_seconds_sum': [({}, 66.3)],
    'target_info': [({'host_name': 'h'}, 1.0)],
}
NATIVE_COUNT, NATIVE_SUM, NATIVE_LARGEST = 12.0, 4014.0, 4.0
METADATA = {'requests_total': ('counter', 'Requests so far.', ''), 'latency_seconds': ('histogram', '', 'seconds'),
            'room_warmth_celsius': ('gauge', '', 'celsius')}


def check(quipu, what):
    at = int(time.time() * 1000) + 2000
    for name, series in VALUES.items():
        expected = {key({'__name__': name, **OWN, **labels}): [(0, value)] for labels, value in series}
        # An SDK may say of itself what nobody asked for, as labels of target_info.
        rows = quipu.rows(name, at)
        if name == 'target_info':
            rows = {key({**{n: v for n, v in labels if not n.startswith('telemetry_')}}): found
                    for labels, found in rows.items()}
        last = {labels: [(0, found[-1][1])] for labels, found in rows.items()}
        must_equal(expected, last, f'{what}, {name}', 1e-12)
    (labels, found), = quipu.rows('native_bytes', at).items()
    count, total, *buckets = found[-1][1]
    # Each bucket is four numbers: ends, bounds, count. The values 0, 1, 2, 4 and twice 1000, two times.
    counts = sorted(buckets[3::4])
    if labels != key({'__name__': 'native_bytes', **OWN}) or (count, total) != (NATIVE_COUNT, NATIVE_SUM) \
            or [it for it in counts if it] != [2.0, 2.0, 2.0, 2.0, NATIVE_LARGEST]:
        raise Failed(f'{what}: the native histogram {labels} is {found[-1]}')
    told = quipu.ask('metadata')
    for name, expected in METADATA.items():
        found = [(it['type'], it['help'], it['unit']) for it in told.get(name, [])]
        if found != [expected]:
            raise Failed(f'{what}: metadata of {name} is {found}, expected {expected}')


def python(protocol, temporality):
    def client(quipu, folder):
        run([sys.executable, '-W', 'ignore', f'{FOLDER}/otlp_sender.py', protocol, str(quipu.port), temporality],
            folder, {'PYTHONPATH': peers.PYTHON}, f'OpenTelemetry for Python, {protocol}')
        check(quipu, f'Python, {protocol}, {temporality}')
    return client


def node(protocol, temporality):
    def client(quipu, folder):
        run([peers.program('node'), f'{FOLDER}/otlp_sender.cjs', protocol, str(quipu.port), temporality], folder,
            {'NODE_PATH': f'{peers.NODE}/node_modules'}, f'OpenTelemetry for Node, {protocol}')
        check(quipu, f'Node, {protocol}, {temporality}')
    return client


def rotel(inward, outward):
    """A collector in the middle: what an SDK gives it by one protocol it gives on by the other."""
    def client(quipu, folder):
        ports = {'http': free_port(), 'grpc': free_port()}
        collector = Process('rotel', [
            peers.program('rotel'), 'start', f'--otlp-grpc-endpoint=127.0.0.1:{ports["grpc"]}',
            f'--otlp-http-endpoint=127.0.0.1:{ports["http"]}', '--exporter=otlp',
            f'--otlp-exporter-endpoint=http://{quipu.address}', f'--otlp-exporter-protocol={outward}',
            '--batch-timeout=100ms', f'--pid-file={folder}/rotel.pid'], folder, ports[inward], [])
        try:
            run([sys.executable, '-W', 'ignore', f'{FOLDER}/otlp_sender.py', inward, str(ports[inward]), 'cumulative'],
                folder, {'PYTHONPATH': peers.PYTHON}, f'OpenTelemetry for Python, {inward}, to rotel')
            soon(lambda: checked(quipu, f'rotel, {inward} to {outward}'), 10)
        except Failed as error:
            raise Failed(f'{error}; {collector.tail()}') from None
        finally:
            collector.stop()
    return client


def checked(quipu, what):
    """What is not there yet, or nothing."""
    try:
        check(quipu, what)
    except (Failed, ValueError) as error:
        return str(error)
    return ''


WHAT = 'counters, up-down counters, gauges, histograms, exponential histograms, metadata, `target_info`: values equal'
# As in compat.py.
CLIENTS = [
    ('otel-py-http', 'OpenTelemetry SDK for Python, OTLP over HTTP, gzip', WHAT, python('http', 'cumulative'),
     'opentelemetry-exporter-otlp-proto-http'),
    ('otel-py-grpc', 'OpenTelemetry SDK for Python, OTLP over gRPC, gzip', WHAT, python('grpc', 'cumulative'),
     'opentelemetry-exporter-otlp-proto-grpc'),
    ('otel-py-delta', 'OpenTelemetry SDK for Python, differences', WHAT, python('http', 'delta'),
     'opentelemetry-exporter-otlp-proto-http'),
    ('otel-js-json', 'OpenTelemetry SDK for Node, OTLP over HTTP as JSON', WHAT, node('http', 'cumulative'),
     '@opentelemetry/exporter-metrics-otlp-http'),
    ('otel-js-proto', 'OpenTelemetry SDK for Node, OTLP over HTTP', WHAT, node('proto', 'cumulative'),
     '@opentelemetry/exporter-metrics-otlp-proto'),
    ('otel-js-grpc', 'OpenTelemetry SDK for Node, OTLP over gRPC', WHAT, node('grpc', 'cumulative'),
     '@opentelemetry/exporter-metrics-otlp-grpc'),
    ('otel-js-delta', 'OpenTelemetry SDK for Node, differences', WHAT, node('grpc', 'delta'),
     '@opentelemetry/exporter-metrics-otlp-grpc'),
    ('rotel-grpc', 'rotel, a collector in the middle, on by gRPC', WHAT, rotel('http', 'grpc'), 'rotel'),
    ('rotel-http', 'rotel, a collector in the middle, on by HTTP', WHAT, rotel('grpc', 'http'), 'rotel'),
]
