import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SendOutcome } from '../../../src/telemetry/sender.ts';
import { deferred } from '../../support/deferred.ts';
import { settle } from '../../support/fake-time.ts';
import { decode, type Harness, harness, IDENTITY, SOURCES } from './support.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Runs the three minutes of example E-8, starting after the first report has left. */
async function playE8(): Promise<Harness> {
  const h = harness();
  const { telemetry, time } = h;
  h.readings.push({ cpuPercent: 0, rssBytes: 0 });
  h.readings.push(
    { cpuPercent: 12.5, rssBytes: 268_435_455 },
    { cpuPercent: 33.3, rssBytes: 268_435_456 },
    { cpuPercent: 7.1, rssBytes: 301_989_888 },
  );
  telemetry.start();
  await settle();
  for (const [lines, bytes] of [
    [5, 400],
    [6, 480],
    [7, 560],
    [8, 640],
  ] as const) {
    telemetry.recorder.recordWrite(lines, bytes);
  }
  for (let index = 0; index < 3; index += 1) telemetry.recorder.recordQuery();
  await time.advance(MINUTE_MS);
  telemetry.recorder.recordWrite(100, 2_500_000);
  await time.advance(MINUTE_MS);
  for (let index = 0; index < 7; index += 1) telemetry.recorder.recordQuery();
  await time.advance(MINUTE_MS);
  return h;
}

const E8 =
  '{"os":"linux","version":"influxdb3-3.10.0","storage_type":"file","instance_id":"0c5c3f0e-5d0c-4a5e-9a53-0f3f2c1b7a10","cores":4,"product_type":"Core","storage_engine_type":"parquet","uptime_secs":180,"cluster_uuid":"7b1f5f0a-30fb-4f8e-8a1c-5d1f5a0c9e77","serve_invocation_method":0,"cpu_utilization_percent_min_1m":7.1,"cpu_utilization_percent_max_1m":33.3,"cpu_utilization_percent_avg_1m":17.63,"memory_used_mb_min_1m":255,"memory_used_mb_max_1m":288,"memory_used_mb_avg_1m":266,"write_requests_min_1m":0,"write_requests_max_1m":4,"write_requests_avg_1m":2,"write_requests_sum_1h":5,"write_lines_min_1m":0,"write_lines_max_1m":100,"write_lines_avg_1m":35,"write_lines_sum_1h":126,"write_mb_min_1m":0,"write_mb_max_1m":2,"write_mb_avg_1m":0,"write_mb_sum_1h":2,"query_requests_min_1m":0,"query_requests_max_1m":7,"query_requests_avg_1m":3,"query_requests_sum_1h":10,"parquet_file_count":3,"parquet_file_size_mb":0.006267,"parquet_row_count":9,"wal_single_triggers_count":1,"wal_all_triggers_count":0,"schedule_triggers_count":2,"request_triggers_count":0,"plugin_trigger_invocations":[],"installed_packages":[]}';

describe('minutes and hours', () => {
  it('three ticks give the full sample, byte for byte', async () => {
    const { telemetry } = await playE8();
    assert.equal(Buffer.from(telemetry.preview()).toString('utf8'), E8);
    await telemetry.stop();
  });

  it('the hourly reset clears the window and leaves the bucket', async () => {
    const { telemetry, time, posts } = await playE8();
    await time.advance(56 * MINUTE_MS);
    telemetry.recorder.recordWrite(10, 100);
    await time.advance(MINUTE_MS - 1);
    telemetry.recorder.recordWrite(77, 100); // still before tick 60: in the report (T-16)
    await time.advance(1);
    assert.equal(posts.length, 2);
    assert.equal(decode(posts[1])['write_requests_sum_1h'], 7);
    telemetry.recorder.recordWrite(10, 100);
    telemetry.recorder.recordWrite(10, 100);
    assert.equal(decode(telemetry.preview())['write_requests_sum_1h'], 0, 'T-10 still in the bucket');
    await time.advance(MINUTE_MS);
    const next = decode(telemetry.preview());
    assert.deepEqual(pick(next, 'write_requests'), [2, 2, 2, 2]);
    assert.deepEqual(pick(next, 'write_lines'), [10, 10, 10, 20]);
    await telemetry.stop();
  });

  for (const [name, outcome] of [
    ['refused', { kind: 'failed', error: 'ECONNREFUSED' }],
    ['answered with 500', { kind: 'answered', status: 500 }],
  ] as const) {
    it(`a report that is ${name} is lost for good: no second attempt, nothing carried over`, async () => {
      const h = await playE8();
      h.outcome = outcome;
      await h.time.advance(57 * MINUTE_MS);
      assert.equal(h.posts.length, 2);
      await h.time.advance(59 * MINUTE_MS);
      assert.equal(h.posts.length, 2, 'no retry before the next hour');
      await h.time.advance(MINUTE_MS);
      assert.equal(h.posts.length, 3);
      assert.deepEqual(pick(decode(h.posts[2]), 'write_requests'), [0, 0, 0, 0]);
      await h.telemetry.stop();
    });
  }

  it('minutes rolled up while a POST is under way are in the next report', async () => {
    const h = harness();
    const answer = deferred<SendOutcome>();
    h.telemetry.start();
    await settle();
    h.outcome = answer.promise;
    await h.time.advance(HOUR_MS);
    h.telemetry.recorder.recordWrite(10, 1_000_000);
    await h.time.advance(MINUTE_MS);
    h.telemetry.recorder.recordWrite(20, 1_000_000);
    await h.time.advance(MINUTE_MS + 5000);
    answer.resolve({ kind: 'answered', status: 204 });
    await settle();
    assert.equal(decode(h.telemetry.preview())['write_lines_sum_1h'], 30);
    await h.time.advance(58 * MINUTE_MS);
    assert.equal(decode(h.posts[2])['write_lines_sum_1h'], 30);
    await h.telemetry.stop();
  });

  it('bytes are counted as given (unzipped body) and shown in decimal megabytes', async () => {
    const { telemetry, time } = harness();
    telemetry.start();
    await settle();
    for (let index = 0; index < 3; index += 1) telemetry.recorder.recordWrite(0, 600_000);
    await time.advance(MINUTE_MS);
    assert.deepEqual(pick(decode(telemetry.preview()), 'write_mb'), [0, 0, 0, 1]);
    assert.deepEqual(pick(decode(telemetry.preview()), 'write_lines'), [0, 0, 0, 0]);
    await time.advance(MINUTE_MS);
    for (const bytes of [1_999_999, 3_000_000, 2_500_000]) telemetry.recorder.recordWrite(1, bytes);
    await time.advance(MINUTE_MS);
    assert.deepEqual(pick(decode(telemetry.preview()), 'write_mb'), [0, 3, 1, 9]);
    await telemetry.stop();
  });

  it('every recorded query counts one', async () => {
    const { telemetry, time } = harness();
    telemetry.start();
    await settle();
    for (let index = 0; index < 4; index += 1) telemetry.recorder.recordQuery();
    await time.advance(MINUTE_MS);
    assert.deepEqual(pick(decode(telemetry.preview()), 'query_requests'), [4, 4, 4, 4]);
    await telemetry.stop();
  });

  it('a minute without a reading still rolls the events up', async () => {
    const h = harness();
    h.readings.push({ cpuPercent: 0, rssBytes: 1_048_576 }, undefined, undefined);
    h.telemetry.start();
    await settle();
    h.telemetry.recorder.recordWrite(3, 3);
    await h.time.advance(2 * MINUTE_MS);
    const payload = decode(h.telemetry.preview());
    assert.equal(payload['write_lines_sum_1h'], 3);
    assert.equal(payload['memory_used_mb_max_1m'], 0);
    assert.equal(h.logger.lines.filter((line) => line.level === 'warn').length, 1);
    assert.equal(h.telemetry.status().samples_failed, 2);
    await h.telemetry.stop();
  });

  it('the ids are those of the catalog: same catalog, same ids', () => {
    const first = decode(harness().telemetry.preview());
    const second = decode(harness().telemetry.preview());
    assert.equal(first['instance_id'], second['instance_id']);
    assert.equal(first['cluster_uuid'], IDENTITY.clusterUuid);
    const other = harness({ identity: { ...IDENTITY, instanceId: '11111111-2222-4333-8444-555555555555' }, sources: SOURCES });
    assert.notEqual(decode(other.telemetry.preview())['instance_id'], first['instance_id']);
  });
});

function pick(payload: Record<string, unknown>, prefix: string): unknown[] {
  return ['min_1m', 'max_1m', 'avg_1m', 'sum_1h'].map((suffix) => payload[`${prefix}_${suffix}`]);
}
