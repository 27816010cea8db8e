import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { TIME_NS_MAX, TIME_NS_MIN } from '../../../../src/shared/time-range.ts';
import type { Precision } from '../../../../src/write/line-protocol/index.ts';
import { Harness } from './fake-catalog.ts';

const FACTORS = { second: 1_000_000_000n, millisecond: 1_000_000n, microsecond: 1_000n, nanosecond: 1n } as const;

/** Time of a line through the hot loop, undefined when the line is refused. */
function timeOf(harness: Harness, timestamp: string, precision: Precision): bigint | undefined {
  const parsed = harness.write(`m v=1 ${timestamp}\n`, { precision });
  return parsed.tables[0]?.timesNs[0];
}

test('auto finds the unit by magnitude, line by line', () => {
  const harness = new Harness();
  harness.write('m v=1');
  const table: readonly (readonly [string, bigint])[] = [
    ['0', 1_000_000_000n],
    ['4999999999', 1_000_000_000n],
    ['-4999999999', 1_000_000_000n],
    ['1708473600', 1_000_000_000n],
    ['1708473601000', 1_000_000n],
    ['5000000000', 1_000_000n],
    ['-5000000000', 1_000_000n],
    ['4999999999999', 1_000_000n],
    ['5000000000000', 1_000n],
    ['4999999999999999', 1_000n],
    ['-4999999999999999', 1_000n],
    ['5000000000000000', 1n],
    ['-5000000000000000', 1n],
    ['9223372036854775806', 1n],
    ['-9223372036854775806', 1n],
  ];
  for (const [timestamp, factor] of table) assert.equal(timeOf(harness, timestamp, 'auto'), BigInt(timestamp) * factor, timestamp);
  const body = table.map(([timestamp]) => `m v=1 ${timestamp}`).join('\n');
  assert.deepEqual(
    harness.rows(body, { precision: 'auto' }).map(({ timeNs }) => timeNs),
    table.map(([timestamp, factor]) => BigInt(timestamp) * factor),
  );
});

test('every precision is exact up to the ends of int64', () => {
  const harness = new Harness();
  harness.write('m v=1');
  const max = TIME_NS_MAX;
  for (const [precision, factor] of Object.entries(FACTORS) as [keyof typeof FACTORS, bigint][]) {
    const last = max / factor;
    for (const good of [0n, 1n, -1n, last, -last])
      assert.equal(timeOf(harness, String(good), precision), good * factor, `${good} ${precision}`);
    for (const bad of [last + 1n, -last - 1n]) {
      const parsed = harness.write(`m v=1 ${bad}`, { precision });
      const name = `${precision[0]?.toUpperCase()}${precision.slice(1)}`;
      assert.equal(parsed.lineErrors[0]?.errorMessage, `timestamp, ${bad}, out of range for precision: ${name}`);
    }
  }
});

test('any timestamp in any precision is its exact product or out of range', () => {
  const harness = new Harness();
  harness.write('m v=1');
  const timestamp = fc.oneof(
    fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n),
    fc.bigInt(-(2n ** 63n), -(2n ** 63n) + 5n),
    fc.bigInt(2n ** 63n - 5n, 2n ** 63n - 1n),
    fc.bigInt(-(10n ** 16n), 10n ** 16n),
    fc.bigInt(-(10n ** 10n), 10n ** 10n),
  );
  fc.assert(
    fc.property(timestamp, fc.constantFrom(...(Object.keys(FACTORS) as (keyof typeof FACTORS)[])), (value, precision) => {
      const ns = value * FACTORS[precision];
      const expected = ns >= TIME_NS_MIN && ns <= TIME_NS_MAX ? ns : undefined;
      assert.equal(timeOf(harness, String(value), precision), expected);
    }),
    { numRuns: 2000 },
  );
});

test('a cached timestamp text is not taken for a longer or shorter one', () => {
  const harness = new Harness();
  harness.write('m v=1');
  const spaced = harness.rows('m v=1 17\nm v=1 18 \nm v=1 17\nm v=1 17\n');
  assert.deepEqual(
    spaced.map(({ timeNs }) => timeNs),
    [17n, 18n, 17n, 17n],
  );
  const stamps = ['1704067200000000000', '1704067200000000000', '170406720000000000', '1704067200000000001', '17', '1', '17', '-17'];
  assert.deepEqual(
    harness.rows(stamps.map((stamp) => `m v=1 ${stamp}`).join('\n')).map(({ timeNs }) => timeNs),
    stamps.map(BigInt),
  );
});
