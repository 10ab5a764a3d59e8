// Run beside javascript.py, with the packages of npm on NODE_PATH: sends as users of Node do.
//
//   node_sender.cjs prom-push PORT NOW       prom-client, to a Pushgateway
//   node_sender.cjs prom-serve PORT          prom-client, serves its page until it is ended
//   node_sender.cjs influx PORT NOW          @influxdata/influxdb-client
//   node_sender.cjs remote-write PORT NOW    prometheus-remote-write
//
// NOW is in seconds. What must arrive is written down in javascript.py.
const [what, port, now] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}`;

function filled(client, registry) {
  new client.Gauge({ name: 'node_last_success', help: 'When it "went" well.', registers: [registry] }).set(1.5);
  const files = new client.Counter({ name: 'node_files_total', help: 'Files.', labelNames: ['kind'], registers: [registry] });
  files.inc({ kind: 'a "b"\n\\' }, 3);
  const seconds = new client.Histogram({ name: 'node_seconds', help: 'How long.', buckets: [1, 5], registers: [registry] });
  for (const value of [0.5, 7]) seconds.observe(value);
  const sizes = new client.Summary({ name: 'node_sizes', help: 'How much.', percentiles: [0.5], registers: [registry] });
  for (const value of [1, 2, 3]) sizes.observe(value);
  return registry;
}

async function promPush() {
  const client = require('prom-client');
  const gateway = (registry) => new client.Pushgateway(url, { timeout: 5000 }, registry);
  const whole = filled(client, new client.Registry());
  await gateway(whole).push({ jobName: 'batch' });
  await gateway(whole).push({ jobName: 'a b', groupings: { path: 'ü=&' } });
  const other = new client.Registry();
  new client.Gauge({ name: 'node_added', help: 'Another.', registers: [other] }).set(4);
  await gateway(other).pushAdd({ jobName: 'batch' });
  await gateway(whole).push({ jobName: 'gone' });
  await gateway(whole).delete({ jobName: 'gone' });
  await gateway(whole).push({ jobName: 'less' });
  await gateway(other).push({ jobName: 'less' });
}

async function promServe() {
  const client = require('prom-client');
  const registry = filled(client, new client.Registry());
  client.collectDefaultMetrics({ register: registry });
  const server = require('http').createServer(async (_, response) => {
    const page = await registry.metrics();
    response.setHeader('Content-Type', registry.contentType);
    response.end(page);
  });
  server.listen(Number(port), '127.0.0.1');
}

async function influx() {
  const { InfluxDB, Point, HttpError } = require('@influxdata/influxdb-client');
  const writer = new InfluxDB({ url, token: 'secret' }).getWriteApi('org', 'bucket', 'ms', {
    batchSize: 300, flushInterval: 0, gzipThreshold: 100, defaultTags: { host: 'a b' },
  });
  for (let k = 0; k < 1000; k++) {
    writer.writePoint(new Point('js batch').floatField('third', k / 3).intField('count', k).timestamp(now * 1000 + k));
  }
  writer.writePoint(new Point('js_odd').tag('odd', 'ü,= ').booleanField('on', true).stringField('text', 'left out')
    .timestamp(now * 1000));
  await writer.close();
  const refused = new InfluxDB({ url, token: 'secret' }).getWriteApi('org', 'bucket', 's', { maxRetries: 0 });
  refused.writeRecord(`js_bad v=\njs_good v=1 ${now}`);
  try {
    await refused.close();
  } catch (error) {
    if (error instanceof HttpError && error.statusCode === 400 && JSON.parse(error.body).line === 1) return;
    throw error;
  }
  throw new Error('a line without a value was taken');
}

async function remoteWrite() {
  const { pushTimeseries } = require('prometheus-remote-write');
  const samples = [];
  for (let k = 0; k < 10; k++) samples.push({ value: k / 7, timestamp: now * 1000 + k });
  const answer = await pushTimeseries({ labels: { __name__: 'js_written', host: 'ü "b"' }, samples },
    { url: `${url}/api/v1/write`, labels: { service: 'all' }, fetch });
  if (answer.status !== 204 && answer.status !== 200) throw new Error(`status ${answer.status} ${answer.errorMessage}`);
}

({ 'prom-push': promPush, 'prom-serve': promServe, influx, 'remote-write': remoteWrite })[what]().catch((error) => {
  console.error(error);
  process.exit(1);
});
