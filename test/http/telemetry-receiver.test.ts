import assert from 'node:assert/strict';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { type FastifyInstance, fastify } from 'fastify';
import { Registry } from 'prom-client';
import { REPORT_BYTES_MAX, type ReportWriter, telemetryReceiver } from '../../src/telemetry/receiver.ts';
import { createSender } from '../../src/telemetry/sender.ts';
import { FakeTime, START_MS } from '../support/fake-time.ts';
import { harness, memoryLogger } from '../unit/telemetry/support.ts';

const OWN = Buffer.from(harness().telemetry.preview());

function receiver(options: { writer?: ReportWriter; perMinute?: number; bodies?: boolean } = {}) {
  const writes: { database: string; line: string; precision: string }[] = [];
  const time = new FakeTime();
  const logger = memoryLogger();
  const metrics = new Registry();
  const writer: ReportWriter = options.writer ?? {
    write: async (request) => {
      writes.push({ database: request.database, line: Buffer.from(request.body).toString('utf8'), precision: request.precision });
    },
  };
  const app: FastifyInstance = fastify();
  if (options.bodies === false) app.addHttpMethod('POST', { hasBody: false, overrideExisting: true } as { hasBody?: boolean });
  const perMinute = options.perMinute === undefined ? {} : { reportsPerMinuteMax: options.perMinute };
  app.register(telemetryReceiver({ writer, clock: time, logger, metrics, ...perMinute }));
  return { app, writes, time, logger, metrics };
}

describe('receiver', () => {
  for (const bodies of [true, false]) {
    it(`stores a report as one row, ${bodies ? 'in a plain server' : 'in a server that leaves bodies alone'}`, async () => {
      const { app, writes } = receiver({ bodies });
      const answer = await app.inject({ method: 'POST', url: '/telem', payload: OWN });
      assert.equal(answer.statusCode, 204);
      assert.equal(answer.body, '');
      assert.equal(writes.length, 1);
      assert.equal(writes[0]?.database, 'telemetry');
      assert.equal(writes[0]?.precision, 'nanosecond');
      assert.match(writes[0]?.line ?? '', /^reports,cluster_uuid=7b1f5f0a-30fb-4f8e-8a1c-5d1f5a0c9e77,/);
      assert.ok(writes[0]?.line.endsWith(` ${START_MS}000000\n`));
    });
  }

  it('two reports in one instant become two rows', async () => {
    const { app, writes } = receiver();
    for (let index = 0; index < 3; index += 1) await app.inject({ method: 'POST', url: '/telem', payload: OWN });
    assert.equal(new Set(writes.map((write) => write.line)).size, 3);
  });

  it('takes the report of the real sender, which names no content type', async () => {
    const { app, writes } = receiver();
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const outcome = await createSender({ env: {} })(`http://127.0.0.1:${port}/telem`, OWN, new AbortController().signal);
    assert.deepEqual(outcome, { kind: 'answered', status: 204 });
    assert.equal(writes.length, 1);
    await app.close();
  });

  it('refuses what is no report with 400 and the name of the member', async () => {
    const { app, writes } = receiver();
    const post = (payload: string) => app.inject({ method: 'POST', url: '/telem', payload });
    const answer = await post('{"version":"v","instance_id":"i","cores":"four"}');
    assert.equal(answer.statusCode, 400);
    assert.deepEqual(answer.json(), { error: 'not a usage report: cores must be a whole number from 0 to 2^63' });
    for (const body of ['', 'x', '[]', '{}']) assert.equal((await post(body)).statusCode, 400, body);
    assert.equal(writes.length, 0);
  });

  it('refuses more than 256 KiB with 413 without reading it all', async () => {
    const { app, writes } = receiver();
    const answer = await app.inject({ method: 'POST', url: '/telem', payload: `{"x":"${'y'.repeat(REPORT_BYTES_MAX)}"}` });
    assert.equal(answer.statusCode, 413);
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined); // the server hangs up on us while we write
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write('POST /telem HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000000\r\n\r\n');
    socket.write('y'.repeat(REPORT_BYTES_MAX + 1));
    await closed;
    assert.match(heard, /^HTTP\/1\.1 413 /);
    assert.equal(writes.length, 0);
    await app.close();
  });

  it('limits reports a minute from one address with 429', async () => {
    const { app, time } = receiver({ perMinute: 2 });
    const post = async (remoteAddress: string) =>
      (await app.inject({ method: 'POST', url: '/telem', payload: OWN, remoteAddress })).statusCode;
    assert.deepEqual(
      [await post('10.0.0.1'), await post('10.0.0.1'), await post('10.0.0.1'), await post('10.0.0.2')],
      [204, 204, 429, 204],
    );
    await time.advance(30_001);
    assert.equal(await post('10.0.0.1'), 204);
  });

  it('answers 503 when nothing could be stored and logs it once', async () => {
    const { app, logger } = receiver({ writer: { write: () => Promise.reject(new Error('disk full')) } });
    for (let index = 0; index < 3; index += 1) {
      const answer = await app.inject({ method: 'POST', url: '/telem', payload: OWN });
      assert.equal(answer.statusCode, 503);
      assert.deepEqual(answer.json(), { error: 'the report could not be stored' });
    }
    assert.equal(logger.lines.length, 1);
  });

  it('counts reports and dropped members', async () => {
    const { app, metrics } = receiver();
    const post = (payload: string) => app.inject({ method: 'POST', url: '/telem', payload });
    await post('{"version":"v","instance_id":"i","new":1,"newer":2}');
    await post('nonsense');
    const text = await metrics.metrics();
    assert.ok(text.includes('influxdb3_telemetry_receiver_reports_total{result="stored"} 1\n'), text);
    assert.ok(text.includes('influxdb3_telemetry_receiver_reports_total{result="refused"} 1\n'));
    assert.ok(text.includes('influxdb3_telemetry_receiver_unknown_fields_total 2\n'));
  });

  it('leaves the bodies of other routes alone', async () => {
    const { app } = receiver();
    app.post('/other', async (request) => request.body);
    assert.deepEqual((await app.inject({ method: 'POST', url: '/other', payload: { a: 1 } })).json(), { a: 1 });
  });
});
