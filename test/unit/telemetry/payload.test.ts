import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FIELDS } from '../../../src/telemetry/fields.ts';
import { formatFloat32, formatFloat64, roundToCents } from '../../../src/telemetry/payload.ts';
import { decode, harness, IDENTITY } from './support.ts';

const WIRE_ORDER =
  'os version storage_type instance_id cores product_type storage_engine_type uptime_secs cluster_uuid serve_invocation_method cpu_utilization_percent_min_1m cpu_utilization_percent_max_1m cpu_utilization_percent_avg_1m memory_used_mb_min_1m memory_used_mb_max_1m memory_used_mb_avg_1m write_requests_min_1m write_requests_max_1m write_requests_avg_1m write_requests_sum_1h write_lines_min_1m write_lines_max_1m write_lines_avg_1m write_lines_sum_1h write_mb_min_1m write_mb_max_1m write_mb_avg_1m write_mb_sum_1h query_requests_min_1m query_requests_max_1m query_requests_avg_1m query_requests_sum_1h parquet_file_count parquet_file_size_mb parquet_row_count wal_single_triggers_count wal_all_triggers_count schedule_triggers_count request_triggers_count plugin_trigger_invocations installed_packages'.split(
    ' ',
  );

describe('payload', () => {
  it('has exactly the 41 keys in the order of the wire', () => {
    assert.equal(WIRE_ORDER.length, 41);
    assert.deepEqual(
      FIELDS.map((field) => field.name),
      WIRE_ORDER,
    );
    const text = Buffer.from(harness().telemetry.preview()).toString('utf8');
    assert.deepEqual(Object.keys(decode(text)), WIRE_ORDER);
    assert.ok(!/[\s]/.test(text), 'compact JSON');
  });

  it('whole numbers print as plain decimals, also above 2^53', () => {
    const big = harness({ identity: { ...IDENTITY, serveInvocationMethod: 2n ** 64n - 1n } }).telemetry.preview();
    assert.match(Buffer.from(big).toString('utf8'), /"serve_invocation_method":18446744073709551615,/);
    const huge = harness({
      sources: { parquetTotals: () => ({ fileCount: 2 ** 70, sizeBytes: 0, rowCount: -1 }), triggerCounts: () => zeroTriggers },
    }).telemetry.preview();
    assert.match(
      Buffer.from(huge).toString('utf8'),
      /"parquet_file_count":1180591620717411303424,"parquet_file_size_mb":0\.0,"parquet_row_count":0,/,
    );
  });

  it('floats always have a fraction and are the shortest that read back the same', () => {
    assert.deepEqual([0, 89, 94.5, 33.3, 0.1, 66.666664, 16_777_216].map(formatFloat32), [
      '0.0',
      '89.0',
      '94.5',
      '33.3',
      '0.1',
      '66.666664',
      '16777216.0',
    ]);
    assert.deepEqual([0, 1, 0.006267, 1e-7, 1e21, Number.NaN].map(formatFloat64), ['0.0', '1.0', '0.006267', '1e-7', '1e21', 'null']);
    fc.assert(
      fc.property(fc.float({ min: 0, max: 100_000, noNaN: true }), (value) => {
        const text = formatFloat32(value);
        assert.equal(Math.fround(Number(text)), Math.fround(value));
        assert.match(text, /[.e]/);
      }),
    );
  });

  it('averages are rounded to two decimals in 32-bit arithmetic', () => {
    assert.equal(formatFloat32(roundToCents(13.225)), '13.23');
    assert.equal(formatFloat32(roundToCents(1.675)), '1.68');
    assert.equal(formatFloat32(roundToCents(100)), '100.0');
  });

  it('Parquet sizes are kept in bytes and divided once', () => {
    const sizes = [1, 999_999, 1_000_000, 1_500_000, 123_456_789_012];
    const shown = sizes.map((sizeBytes) => {
      const { telemetry } = harness({
        sources: { parquetTotals: () => ({ fileCount: 1, sizeBytes, rowCount: 1 }), triggerCounts: () => zeroTriggers },
      });
      return /"parquet_file_size_mb":([^,]*),/.exec(Buffer.from(telemetry.preview()).toString('utf8'))?.[1];
    });
    assert.deepEqual(shown, ['1e-6', '0.999999', '1.0', '1.5', '123456.789012']);
  });

  it('a source that throws costs its own figures only and is logged once', () => {
    const { telemetry, logger } = harness({
      sources: {
        parquetTotals: () => {
          throw new Error('catalog is closed');
        },
        triggerCounts: () => ({ walSingle: 7, walAll: 0, schedule: 0, request: 0 }),
      },
    });
    const payload = decode(telemetry.preview());
    telemetry.preview();
    assert.equal(payload['parquet_file_count'], 0);
    assert.equal(payload['wal_single_triggers_count'], 7);
    assert.equal(logger.lines.filter((line) => line.level === 'warn').length, 1);
  });
});

const zeroTriggers = { walSingle: 0, walAll: 0, schedule: 0, request: 0 };
