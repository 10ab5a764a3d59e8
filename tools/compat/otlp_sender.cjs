// Run beside otlp.py, with the packages of npm on NODE_PATH: sends as users of OpenTelemetry's SDK do.
//
//   otlp_sender.cjs http|proto|grpc PORT cumulative|delta
//
// What must arrive is written down in otlp.py.
const { MeterProvider, PeriodicExportingMetricReader, AggregationTemporality, AggregationType } =
  require('@opentelemetry/sdk-metrics');
const { resourceFromAttributes } = require('@opentelemetry/resources');

const [protocol, port, temporality] = process.argv.slice(2);
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${protocol}`);
const url = protocol === 'grpc' ? `http://127.0.0.1:${port}` : `http://127.0.0.1:${port}/v1/metrics`;
const temporalityPreference =
  temporality === 'delta' ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
const exporter = new OTLPMetricExporter({ url, temporalityPreference });
const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 600_000 });
const provider = new MeterProvider({
  resource: resourceFromAttributes({
    'service.name': 'shop', 'service.namespace': 'web', 'service.instance.id': 'one', 'host.name': 'h',
  }),
  readers: [reader],
  views: [{ instrumentName: 'native', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
});
const meter = provider.getMeter('compat', '1.0');
const counter = meter.createCounter('requests', { unit: '{request}', description: 'Requests so far.' });
const level = meter.createUpDownCounter('queue.length');
const gauge = meter.createGauge('room.warmth', { unit: 'Cel' });
const latency = meter.createHistogram('latency', {
  unit: 's', advice: { explicitBucketBoundaries: [0.1, 1, 10] },
});
const native = meter.createHistogram('native', { unit: 'By' });

async function main() {
  for (let round = 0; round < 2; round++) {
    counter.add(3, { path: '/a', 'http.status': 200 });
    counter.add(4.5, { path: '/b "q"' });
    level.add(5);
    level.add(-7);
    gauge.record(-21.5, { floor: 1 });
    for (const value of [0.05, 0.1, 3, 30]) latency.record(value);
    for (const value of [0, 1, 2, 4, 1000, 1000]) native.record(value);
    await provider.forceFlush();
    // Times of the SDK are milliseconds: the second round has one of its own.
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await provider.shutdown();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
