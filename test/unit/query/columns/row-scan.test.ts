import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FieldColumn } from '../../../../src/query/columns/field-column.ts';
import { BufferScan, FileScan, filterRows, newRowBatch, type RowScan, type ScanRequest } from '../../../../src/query/columns/row-scan.ts';
import { BufferSegment, FileSegment } from '../../../../src/query/columns/segment.ts';

/** Rows and cells of a whole scan. */
function all(scan: RowScan): [row: number, cell: number][] {
  const batch = newRowBatch();
  const found: [number, number][] = [];
  for (let count = scan.next(batch); count > 0; count = scan.next(batch)) {
    for (let i = 0; i < count; i++) found.push([batch.rows[i] as number, batch.cells[i] as number]);
  }
  return found;
}

function halves(times: readonly bigint[]): Int32Array {
  const data = BigInt64Array.from(times);
  return new Int32Array(data.buffer);
}

const times = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 5000 });
const bounds = fc.record({ min: fc.integer({ min: -10, max: 100_010 }), max: fc.integer({ min: -10, max: 100_010 }) });
const BASE = 1_704_067_200_000_000_000n;

describe('scans of columns in memory', () => {
  test('a buffer scan finds the rows between the bounds with their bins', () => {
    fc.assert(
      fc.property(
        times,
        bounds,
        fc.integer({ min: 1, max: 30_000 }),
        fc.integer({ min: 0, max: 900 }),
        (rows, { min, max }, width, shift) => {
          const segment = new BufferSegment(BASE, new Map(), 1);
          const series = Int32Array.from(rows, (time) => time % 5);
          // Appended in two parts: blocks grow, arrays are replaced.
          const cut = rows.length >> 1;
          const ns = rows.map((time) => BASE + BigInt(time));
          segment.appendKeys(series.subarray(0, cut), halves(ns.slice(0, cut)), cut);
          segment.appendKeys(series.subarray(cut), halves(ns.slice(cut)), rows.length - cut);
          const bins = { shift, width, count: Math.ceil((100_000 + shift) / width) + 1 };
          const request: ScanRequest = { minTime: min, maxTime: max, groupOf: Int32Array.from([0, -1, 1, -1, 0]), bins };
          const groups = [0, -1, 1, -1, 0];
          const expected = rows.flatMap((time, row): [number, number][] => {
            const group = groups[time % 5] as number;
            if (group < 0 || time < min || time > max) return [];
            return [[row, group * bins.count + Math.floor((time + shift) / width)]];
          });
          assert.deepEqual(all(new BufferScan(segment, request)), expected);
          const backwards = all(new BufferScan(segment, { ...request, backwards: true }));
          assert.deepEqual(
            backwards.sort((a, b) => a[0] - b[0]),
            expected,
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a file scan finds the same in runs of series', () => {
    fc.assert(
      fc.property(
        fc.array(times, { minLength: 1, maxLength: 4 }),
        bounds,
        fc.integer({ min: 1, max: 30_000 }),
        (runs, { min, max }, width) => {
          const sorted = runs.map((run) => [...new Set(run)].sort((a, b) => a - b));
          const starts = [0];
          for (const run of sorted) starts.push((starts.at(-1) as number) + run.length);
          const flat = sorted.flat();
          const segment = new FileSegment({
            baseNs: BASE,
            times: Float64Array.from(flat),
            starts: Int32Array.from(starts),
            codes: new Map(),
          });
          const groupOf = Int32Array.from(sorted, (_, run) => (run === 1 ? -1 : run % 2));
          const bins = { shift: 7, width, count: Math.ceil(100_007 / width) + 1 };
          const expected = sorted.flatMap((run, r) =>
            run.flatMap((time, i): [number, number][] => {
              if (r === 1 || time < min || time > max) return [];
              return [[(starts[r] as number) + i, (r % 2) * bins.count + Math.floor((time + 7) / width)]];
            }),
          );
          assert.deepEqual(all(new FileScan(segment, { minTime: min, maxTime: max, groupOf, bins })), expected);
          assert.equal(segment.minTime, Math.min(...flat));
          assert.equal(segment.maxTime, Math.max(...flat));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('who decides block by block has seen the rows of the block before', () => {
    const segment = new BufferSegment(BASE, new Map(), 1);
    const rows = Array.from({ length: 5000 }, (_, i) => BASE + BigInt(i));
    segment.appendKeys(new Int32Array(5000), halves(rows), 5000);
    const asked: number[] = [];
    const scan = new BufferScan(segment, {
      minTime: Number.NEGATIVE_INFINITY,
      maxTime: Number.POSITIVE_INFINITY,
      groupOf: Int32Array.of(0),
      bins: undefined,
      backwards: true,
      isWanted: (min) => asked.push(min) < 3,
    });
    const batch = newRowBatch();
    assert.equal(scan.next(batch), 5000 - 4096);
    assert.equal(batch.rows[0], 4096);
    assert.equal(scan.next(batch), 1024);
    assert.equal(scan.next(batch), 0);
    assert.deepEqual(asked.slice(0, 3), [4096, 3072, 2048]);
  });

  test('filters leave out nulls', () => {
    const field = new FieldColumn('integer', 4);
    field.append(new Uint8Array(BigInt64Array.of(5n, 1n, 9n, 7n).buffer), Uint8Array.of(0b1011), 4);
    const batch = newRowBatch();
    for (let i = 0; i < 4; i++) batch.rows[i] = i;
    assert.equal(filterRows(batch, 4, field, '>=', 5), 2);
    assert.deepEqual([...batch.rows.subarray(0, 2)], [0, 3]);
  });
});

describe('number fields in memory', () => {
  test('integers of both kinds become the doubles that they are', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: -(2n ** 53n) + 1n, max: 2n ** 53n - 1n })), (values) => {
        const field = new FieldColumn('integer', 1);
        field.append(new Uint8Array(BigInt64Array.from(values).buffer), undefined, values.length);
        assert.deepEqual([...field.values.subarray(0, values.length)], values.map(Number));
        assert.equal(field.unfit, false);
      }),
    );
    const unsigned = new FieldColumn('uinteger', 1);
    unsigned.append(new Uint8Array(BigUint64Array.of(0n, 2n ** 53n - 1n).buffer), undefined, 2);
    assert.deepEqual([...unsigned.values.subarray(0, 2)], [0, 2 ** 53 - 1]);
  });

  test('what a double cannot hold makes the column unfit', () => {
    for (const [type, bytes] of [
      ['integer', BigInt64Array.of(2n ** 53n)],
      ['integer', BigInt64Array.of(-(2n ** 63n))],
      ['uinteger', BigUint64Array.of(2n ** 64n - 1n)],
      ['float', Float64Array.of(Number.NaN)],
      ['float', Float64Array.of(Number.NEGATIVE_INFINITY)],
    ] as const) {
      const field = new FieldColumn(type, 1);
      field.append(new Uint8Array(bytes.buffer), undefined, 1);
      assert.equal(field.unfit, true, `${type} ${bytes[0]}`);
      const asNull = new FieldColumn(type, 1);
      asNull.append(new Uint8Array(bytes.buffer), Uint8Array.of(0), 1);
      assert.equal(asNull.unfit, false);
    }
  });

  test('rows without the field are null, whichever come first', () => {
    const field = new FieldColumn('float', 1);
    field.append(new Uint8Array(Float64Array.of(1.5).buffer), undefined, 1);
    assert.equal(field.valid, undefined);
    field.appendNulls(2);
    field.append(new Uint8Array(Float64Array.of(2.5, 3.5).buffer), Uint8Array.of(0b10), 2);
    assert.deepEqual([...(field.valid ?? []).slice(0, field.length)], [1, 0, 0, 0, 1]);
    assert.equal(field.maxAbs, 3.5);
  });
});
