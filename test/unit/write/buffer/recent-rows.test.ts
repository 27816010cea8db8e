import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RecentRows, RecentRowsLimit, type SectionKeys } from '../../../../src/write/buffer/recent-rows.ts';

type Row = readonly [series: number, timeNs: bigint];

function section(rows: readonly Row[]): SectionKeys {
  const times = rows.map(([, time]) => time);
  return {
    rowCount: rows.length,
    seriesIds: Int32Array.from(rows, ([series]) => series),
    timesNs: BigInt64Array.from(times),
    minTimeNs: times.reduce((a, b) => (a < b ? a : b)),
    maxTimeNs: times.reduce((a, b) => (a > b ? a : b)),
  };
}

function allRows(rows: readonly Row[]): number[] {
  return rows.map((_, row) => row);
}

describe('recent rows', () => {
  it('two writes that overtake each other repeat nothing (storage 9)', () => {
    const recent = new RecentRows(new RecentRowsLimit(), undefined);
    recent.add(section([[0, 100n], [1, 100n], [0, 110n]])); // biome-ignore format: rows
    const late: Row[] = [[0, 80n], [1, 80n], [1, 90n], [1, 110n]]; // biome-ignore format: rows
    assert.deepEqual(recent.repeats(section(late), allRows(late)), []);
  });

  it('finds the same key in an earlier section and earlier in its own', () => {
    const recent = new RecentRows(new RecentRowsLimit(), undefined);
    recent.add(section([[0, 100n], [1, -5n]])); // biome-ignore format: rows
    const rows: Row[] = [[1, -5n], [2, 7n], [2, 7n], [0, 99n]]; // biome-ignore format: rows
    assert.deepEqual(recent.repeats(section(rows), allRows(rows)), [0, 2]);
  });

  it('treats every time up to the floor as stored', () => {
    const recent = new RecentRows(new RecentRowsLimit(), 50n);
    const rows: Row[] = [[0, 50n], [0, 51n], [9, -1n]]; // biome-ignore format: rows
    assert.deepEqual(recent.repeats(section(rows), allRows(rows)), [0, 2]);
  });

  it('over its limit it forgets keys, oldest first, and then doubts their whole time range', () => {
    const limit = new RecentRowsLimit(4, 0);
    const first = new RecentRows(limit, undefined);
    const second = new RecentRows(limit, undefined);
    first.add(section([[0, 10n], [0, 20n]])); // biome-ignore format: rows
    second.add(section([[0, 10n], [0, 20n]])); // biome-ignore format: rows
    const between: Row[] = [[0, 15n]];
    assert.deepEqual(first.repeats(section(between), [0]), []);
    second.add(section([[0, 30n]]));
    assert.deepEqual(first.repeats(section(between), [0]), [0]);
    assert.deepEqual(second.repeats(section(between), [0]), []);
  });

  it('remembers a bounded number of sections of a table', () => {
    const recent = new RecentRows(new RecentRowsLimit(), undefined);
    for (let i = 0; i < 200; i++) recent.add(section([[0, BigInt(i) * 10n]]));
    assert.deepEqual(recent.repeats(section([[0, 5n]]), [0]), [0]);
    assert.deepEqual(recent.repeats(section([[0, 1985n]]), [0]), []);
  });

  it('a section counts more than its rows', () => {
    const limit = new RecentRowsLimit(100, 32);
    const first = new RecentRows(limit, undefined);
    first.add(section([[0, 10n]]));
    for (let i = 0n; i < 3n; i++) first.add(section([[0, 20n + i]]));
    assert.deepEqual(first.repeats(section([[1, 10n]]), [0]), [0]);
    assert.deepEqual(first.repeats(section([[1, 22n]]), [0]), []);
  });

  it('a cleared table gives the shared limit back', () => {
    const limit = new RecentRowsLimit(2, 0);
    const first = new RecentRows(limit, undefined);
    const second = new RecentRows(limit, undefined);
    first.add(section([[0, 1n], [0, 2n]])); // biome-ignore format: rows
    first.clear();
    second.add(section([[0, 1n], [0, 9n]])); // biome-ignore format: rows
    assert.deepEqual(second.repeats(section([[0, 5n]]), [0]), []);
  });

  it('never misses a repeated key, and with room for all sections never suspects another', () => {
    const row = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.bigInt({ min: -6n, max: 6n }));
    const sections = fc.array(fc.array(row, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(sections, fc.constantFrom(3, 1000), (all, rowsMax) => {
        const recent = new RecentRows(new RecentRowsLimit(rowsMax, 0), undefined);
        const seen = new Set<string>();
        for (const rows of all) {
          const expected: number[] = [];
          rows.forEach(([series, time], i) => {
            const key = `${series} ${time}`;
            if (seen.has(key)) expected.push(i);
            seen.add(key);
          });
          const found = recent.repeats(section(rows), allRows(rows));
          if (rowsMax === 1000) assert.deepEqual(found, expected);
          else for (const i of expected) assert.ok(found.includes(i));
          recent.add(section(rows));
        }
      }),
    );
  });
});
