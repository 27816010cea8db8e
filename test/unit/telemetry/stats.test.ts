import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatFloat32, roundToCents } from '../../../src/telemetry/payload.ts';
import { FloatStats, IntStats } from '../../../src/telemetry/stats.ts';
import { HourWindow, MinuteBucket } from '../../../src/telemetry/window.ts';

function trace(values: readonly number[]): { stats: IntStats; averages: number[] } {
  const stats = new IntStats();
  const averages = values.map((value) => {
    stats.update(value);
    return stats.avg;
  });
  return { stats, averages };
}

const summary = ({ min, max, avg }: { min: number; max: number; avg: number }): number[] => [min, max, avg];

describe('statistics', () => {
  it('the integer average sticks when the newest value is near, and depends on the order', () => {
    const up = trace([5, 6, 7, 8]);
    assert.deepEqual(up.averages, [5, 5, 5, 5]);
    assert.deepEqual(summary(up.stats), [5, 8, 5]);
    const down = trace([8, 7, 6, 5]);
    assert.deepEqual(down.averages, [8, 8, 8, 8]);
    assert.deepEqual(summary(down.stats), [5, 8, 8]);
  });

  it('larger steps truncate each time', () => {
    const { stats, averages } = trace([1000, 10, 400, 3]);
    assert.deepEqual(averages, [1000, 505, 470, 354]);
    assert.deepEqual(summary(stats), [3, 1000, 354]);
    const bucket = new MinuteBucket();
    for (const lines of [1000, 10, 400, 3]) bucket.recordWrite(lines, 0);
    assert.equal(bucket.lineSum, 1413);
  });

  it('an idle minute forces the minimum to 0 and pulls the average down; the bucket is cleared by every roll-up', () => {
    const bucket = new MinuteBucket();
    const window = new HourWindow();
    const lines: number[][] = [];
    const requests: number[] = [];
    for (const minute of [[5, 6, 7, 8], [100], [], [40, 2]]) {
      for (const count of minute) bucket.recordWrite(count, 0);
      window.rollUp(bucket);
      bucket.reset();
      lines.push(summary(window.lines));
      requests.push(window.writeRequests.avg);
    }
    assert.deepEqual(lines, [
      [5, 8, 5],
      [5, 100, 52],
      [0, 100, 35],
      [0, 100, 32],
    ]);
    assert.deepEqual(requests, [4, 3, 2, 2]);
    assert.deepEqual(summary(window.writeRequests), [0, 4, 2]);
    assert.equal(window.writeRequestSum, 7);
    assert.equal(window.lineSum, 168);
  });

  it('a long idle tail sticks at 27', () => {
    const { averages } = trace([600, ...Array<number>(59).fill(0)]);
    assert.deepEqual(averages.slice(0, 12), [600, 300, 200, 150, 120, 100, 86, 76, 68, 62, 57, 53]);
    assert.equal(averages.at(-1), 27);
    assert.equal(trace([...Array<number>(30).fill(10), ...Array<number>(30).fill(11)]).stats.avg, 10);
    assert.equal(trace([0, ...Array<number>(59).fill(100)]).stats.avg, 89);
  });

  it('bytes are kept whole through minutes and hours', () => {
    const bucket = new MinuteBucket();
    const window = new HourWindow();
    const averages: number[] = [];
    for (const minute of [[600_000, 600_000, 600_000], [], [1_999_999, 3_000_000, 2_500_000]]) {
      for (const bytes of minute) bucket.recordWrite(1, bytes);
      if (minute.length === 3 && minute[0] === 1_999_999) assert.equal(bucket.bytes.avg, 2_499_999);
      window.rollUp(bucket);
      bucket.reset();
      averages.push(window.bytes.avg);
    }
    assert.deepEqual(averages, [600_000, 300_000, 1_033_333]);
    assert.deepEqual(summary(window.bytes), [0, 3_000_000, 1_033_333]);
    assert.equal(window.byteSum, 9_299_999);
  });

  it('memory is floored to MiB before the statistics', () => {
    const mebibytes = [268_435_455, 268_435_456, 301_989_888, 536_870_911].map((bytes) => Math.floor(bytes / 1_048_576));
    assert.deepEqual(mebibytes, [255, 256, 288, 511]);
    const { stats, averages } = trace(mebibytes);
    assert.deepEqual(averages, [255, 255, 266, 327]);
    assert.deepEqual(summary(stats), [255, 511, 327]);
  });

  it('CPU figures are 32-bit and print as the shortest decimal', () => {
    const shown = (values: readonly number[]): string[] => {
      const stats = new FloatStats();
      for (const value of values) stats.update(value);
      return [stats.min, stats.max, roundToCents(stats.avg)].map(formatFloat32);
    };
    assert.deepEqual(shown([0, 12.5, 33.3, 7.1]), ['0.0', '33.3', '13.23']);
    assert.deepEqual(shown([0, 33.333332, 66.666664]), ['0.0', '66.666664', '33.33']);
    assert.deepEqual(shown([1.675, 1.675]), ['1.675', '1.675', '1.68']);
    assert.deepEqual(shown([]), ['0.0', '0.0', '0.0']);
  });

  it('the integer average is exact up to 2^53, where dividing floats would round up', () => {
    fc.assert(
      fc.property(fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 40 }), (values) => {
        const { stats } = trace(values);
        let average = 0n;
        values.map(BigInt).forEach((value, index) => {
          const divisor = BigInt(index + 1);
          average = index === 0 ? value : value < average ? average - (average - value) / divisor : average + (value - average) / divisor;
        });
        assert.equal(BigInt(stats.avg), average);
      }),
    );
  });

  it('sums stop at 2^53 - 1 instead of losing exactness', () => {
    const bucket = new MinuteBucket();
    for (let index = 0; index < 3; index += 1) bucket.recordWrite(Number.MAX_SAFE_INTEGER, 1);
    assert.equal(bucket.lineSum, Number.MAX_SAFE_INTEGER);
  });
});
