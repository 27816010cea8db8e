import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { Registry } from 'prom-client';
import { registerTelemetryMetrics, telemetryReceiver, telemetryRoutes } from '../../src/telemetry/http.ts';
import { createSender } from '../../src/telemetry/sender.ts';
import { settle } from '../support/fake-time.ts';
import { harness, memoryLogger } from '../unit/telemetry/support.ts';
import { FakeWriteService, fixedClock, testServer } from './fakes.ts';

const h = harness();
const writes = new FakeWriteService();
const metrics = new Registry();
let url = '';
let close: () => Promise<void>;

before(async () => {
  h.telemetry.start();
  await settle();
  registerTelemetryMetrics(metrics, h.telemetry);
  const receiver = telemetryReceiver({ writer: writes, clock: fixedClock, logger: memoryLogger(), metrics });
  const { server } = await testServer({ metrics, routePlugins: [telemetryRoutes({ telemetry: h.telemetry, clock: h.time }), receiver] });
  const { port } = await server.listen('127.0.0.1', 0);
  url = `http://127.0.0.1:${port}`;
  close = () => server.close();
});

after(async () => {
  await close();
  await h.telemetry.stop();
});

it('the server of this project serves the views and the page', async () => {
  for (const path of [
    '/api/v3/telemetry/status',
    '/api/v3/telemetry/preview',
    '/api/v3/telemetry/log?limit=1',
    '/api/v3/telemetry/schema',
    '/telemetry',
  ]) {
    const answer = await fetch(url + path);
    assert.equal(answer.status, 200, path);
    assert.ok((await answer.text()).length > 100, path);
  }
  const preview = await fetch(`${url}/api/v3/telemetry/preview`);
  assert.equal(await preview.text(), Buffer.from(h.telemetry.preview()).toString('utf8'));
  assert.equal((await fetch(`${url}/api/v3/telemetry/log?limit=x`)).status, 400);
});

it('the server of this project receives a report from the real sender', async () => {
  const outcome = await createSender({ env: {} })(`${url}/telem`, h.telemetry.preview(), new AbortController().signal);
  assert.deepEqual(outcome, { kind: 'answered', status: 204 });
  assert.equal(writes.requests.length, 1);
  assert.equal(writes.requests[0]?.database, 'telemetry');
  const refused = await fetch(`${url}/telem`, { method: 'POST', body: '{"version":1,"instance_id":"i"}' });
  assert.equal(refused.status, 400);
  assert.deepEqual(await refused.json(), { error: 'not a usage report: version must be a string' });
});

it('the metrics of the server have those of telemetry', async () => {
  const text = await (await fetch(`${url}/metrics`)).text();
  assert.ok(text.includes('influxdb3_telemetry_enabled 1'), text);
  assert.ok(text.includes('influxdb3_telemetry_receiver_reports_total'), text);
});
