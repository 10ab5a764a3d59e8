"""Run beside otlp.py, with the libraries of PyPI on its path: sends as users of OpenTelemetry's SDK do.

  otlp_sender.py http|grpc PORT cumulative|delta

What must arrive is written down in otlp.py.
"""
import sys


def main(protocol, port, temporality):
    from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
    from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
    from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
    from opentelemetry.sdk.resources import Resource

    kind = AggregationTemporality[temporality.upper()]
    preferred = {Counter: kind, Histogram: kind}
    if protocol == 'http':
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        exporter = OTLPMetricExporter(f'http://127.0.0.1:{port}/v1/metrics', compression=Compression.Gzip,
                                      preferred_temporality=preferred)
    else:
        from grpc import Compression
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        exporter = OTLPMetricExporter(f'127.0.0.1:{port}', insecure=True, compression=Compression.Gzip,
                                      preferred_temporality=preferred)
    resource = Resource({'service.name': 'shop', 'service.namespace': 'web', 'service.instance.id': 'one',
                         'host.name': 'h'})
    views = [View(instrument_name='native', aggregation=ExponentialBucketHistogramAggregation())]
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=600_000)
    provider = MeterProvider([reader], resource, views=views)
    meter = provider.get_meter('compat', '1.0')
    counter = meter.create_counter('requests', '{request}', 'Requests so far.')
    level = meter.create_up_down_counter('queue.length')
    gauge = meter.create_gauge('room.warmth', 'Cel')
    latency = meter.create_histogram('latency', 's', explicit_bucket_boundaries_advisory=[0.1, 1, 10])
    native = meter.create_histogram('native', 'By')
    for _ in range(2):
        counter.add(3, {'path': '/a', 'http.status': 200})
        counter.add(4.5, {'path': '/b "q"'})
        level.add(5)
        level.add(-7)
        gauge.set(-21.5, {'floor': 1})
        for value in (0.05, 0.1, 3, 30):
            latency.record(value)
        for value in (0, 1, 2, 4, 1000, 1000):
            native.record(value)
        assert provider.force_flush(), 'the exporter says that it could not export'
    provider.shutdown()


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
