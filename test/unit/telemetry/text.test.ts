import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { FIELDS } from '../../../src/telemetry/fields.ts';
import { registerTelemetryMetrics } from '../../../src/telemetry/metrics.ts';
import { firstStartNotice } from '../../../src/telemetry/notice.ts';
import { telemetryReportsTable } from '../../../src/telemetry/reports-table.ts';
import { resolveTelemetry } from '../../../src/telemetry/resolve.ts';
import { fieldTexts, formatTelemetryView } from '../../../src/telemetry/text.ts';
import { START_MS, settle } from '../../support/fake-time.ts';
import { harness, OFF, ON, SWITCHES } from './support.ts';

async function started() {
  const h = harness({ ledgerFile: undefined });
  h.telemetry.start();
  await settle();
  return h;
}

describe('texts for the command line', () => {
  it('status says state, reason, target, next and last report', async () => {
    const { telemetry } = await started();
    assert.equal(
      formatTelemetryView('status', JSON.stringify(telemetry.status())),
      `telemetry    on: ${ON.reason}
sends to     https://collector.example/telem
next report  2026-01-02T04:04:05.000Z
reports      1 since start, 0 without an answer, ${telemetry.preview().length} bytes
last report  2026-01-02T03:04:05.000Z  answered 204  ${telemetry.preview().length} bytes
`,
    );
    await telemetry.stop();
    assert.equal(
      formatTelemetryView('status', JSON.stringify(harness({ resolution: OFF }).telemetry.status())),
      'telemetry    off: --disable-telemetry-upload is set, so nothing is collected or sent\n',
    );
  });

  it('preview lists every field with its value as sent', () => {
    const text = formatTelemetryView('preview', Buffer.from(harness().telemetry.preview()).toString('utf8'));
    const lines = text.trimEnd().split('\n');
    assert.equal(lines.length, FIELDS.length);
    assert.match(lines[0] ?? '', /^os\s+linux\s+name\s+Kind of operating system/);
    assert.match(lines[10] ?? '', /^cpu_utilization_percent_min_1m\s+0\.0\s+percent of one core/);
    assert.ok(!text.includes('(missing)'));
  });

  it('log has one line per attempt', async () => {
    const { telemetry } = await started();
    const body = JSON.stringify(await telemetry.ledger());
    assert.match(
      formatTelemetryView('log', body),
      /^2026-01-02T03:04:05\.000Z {2}answered 204 {2}\d+ bytes {2}https:\/\/collector\.example\/telem\n$/,
    );
    assert.equal(formatTelemetryView('log', '[]'), 'no reports yet\n');
    assert.throws(() => formatTelemetryView('log', 'Not found'), SyntaxError);
    await telemetry.stop();
  });

  it('field texts keep the digits of the bytes and arrays as they are', () => {
    const texts = fieldTexts('{"os":"li\\"nux","cpu":0.0,"a":[{"b":1}],"last":12}');
    assert.deepEqual(Object.fromEntries(texts), { os: 'li\\"nux', cpu: '0.0', a: '[{"b":1}]', last: '12' });
  });
});

describe('notice', () => {
  it('the first start says what is sent, where to, how to see it and how to switch it off', () => {
    const notice = firstStartNotice(ON);
    for (const part of ['https://collector.example', 'influxdb3 telemetry preview', '--disable-telemetry-upload', 'DO_NOT_TRACK=1']) {
      assert.ok(notice.includes(part), part);
    }
    assert.ok(notice.includes(`${FIELDS.length} figures`));
  });

  it('there is no notice when nothing is sent', () => {
    assert.equal(firstStartNotice(OFF), '');
    assert.equal(firstStartNotice(resolveTelemetry({ ...SWITCHES, endpoint: 'http://far.example' })), '');
  });
});

describe('system.telemetry_reports', () => {
  it('has time, endpoint, status, error, bytes and body of every attempt', async () => {
    const h = await started();
    h.outcome = { kind: 'failed', error: 'ENOTFOUND' };
    await h.time.advance(3_600_000);
    const table = telemetryReportsTable(h.telemetry);
    assert.deepEqual(
      table.columns.map((column) => [column.name, column.type]),
      [
        ['time', 'time'],
        ['endpoint', 'string'],
        ['status', 'integer'],
        ['error', 'string'],
        ['bytes', 'uinteger'],
        ['body', 'string'],
      ],
    );
    const at = BigInt(START_MS) * 1_000_000n;
    assert.deepEqual(await table.rows(), [
      [at, 'https://collector.example/telem', 204n, null, BigInt(h.posts[0]?.length ?? 0), h.posts[0]],
      [at + 3_600_000_000_000n, 'https://collector.example/telem', null, 'ENOTFOUND', BigInt(h.posts[1]?.length ?? 0), h.posts[1]],
    ]);
    await h.telemetry.stop();
  });
});

describe('metrics', () => {
  it('say whether telemetry is on, and count reports, bytes and samples', async () => {
    const h = await started();
    h.outcome = { kind: 'failed', error: 'ENOTFOUND' };
    await h.time.advance(3_600_000);
    const registry = new Registry();
    registerTelemetryMetrics(registry, h.telemetry);
    await registry.metrics();
    const text = await registry.metrics();
    for (const line of [
      'influxdb3_telemetry_enabled 1',
      'influxdb3_telemetry_reports_total{result="answered"} 1',
      'influxdb3_telemetry_reports_total{result="failed"} 1',
      `influxdb3_telemetry_sent_bytes_total ${h.posts[0]?.length}`,
      'influxdb3_telemetry_samples_total 61',
      `influxdb3_telemetry_last_attempt_timestamp_seconds ${START_MS / 1000 + 3600}`,
    ]) {
      assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
    }
    await h.telemetry.stop();
  });

  it('say 0 when telemetry is off', async () => {
    const registry = new Registry();
    registerTelemetryMetrics(registry, harness({ resolution: OFF }).telemetry);
    assert.ok((await registry.metrics()).includes('influxdb3_telemetry_enabled 0\n'));
  });
});
