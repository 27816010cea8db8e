import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SeriesIndex } from '../../../../src/write/series/index.ts';

type Tags = readonly (readonly [columnId: number, value: Uint8Array])[];

function canonical(tags: Tags): Buffer {
  return Buffer.concat(
    tags.map(([columnId, value]) => {
      const header = Buffer.alloc(6);
      header.writeUInt16LE(columnId, 0);
      header.writeUInt32LE(value.length, 2);
      return Buffer.concat([header, value]);
    }),
  );
}

function internAll(index: SeriesIndex, tags: Tags): number {
  const bytes = canonical(tags);
  return index.intern(bytes, 0, bytes.length);
}

const tags = fc
  .uniqueArray(fc.tuple(fc.nat(65535), fc.uint8Array({ minLength: 1, maxLength: 12 })), { selector: ([id]) => id, maxLength: 4 })
  .map((list): Tags => list.sort(([a], [b]) => a - b));

test('equal series get one id, different ones dense ids in order', () => {
  fc.assert(
    fc.property(fc.array(tags, { maxLength: 200 }), fc.nat(7), (list, shift) => {
      const index = new SeriesIndex();
      const expected = new Map<string, number>();
      for (const one of list) {
        const bytes = Buffer.concat([Buffer.alloc(shift), canonical(one), Buffer.from('behind')]);
        const key = canonical(one).toString('hex');
        if (!expected.has(key)) expected.set(key, expected.size);
        assert.equal(index.intern(bytes, shift, bytes.length - 6), expected.get(key));
      }
      assert.equal(index.count, expected.size);
      for (const [key, id] of expected) assert.equal(Buffer.from(index.canonicalOf(id)).toString('hex'), key);
    }),
    { numRuns: 300 },
  );
});

test('tags come back in ascending column id', () => {
  fc.assert(
    fc.property(tags, (list) => {
      const index = new SeriesIndex();
      const found: (readonly [number, Uint8Array])[] = [];
      index.forEachTag(internAll(index, list), (columnId, value) => found.push([columnId, Uint8Array.from(value)]));
      assert.deepEqual(found, list);
    }),
  );
});

test('views of early series stay right while the arena grows', () => {
  const index = new SeriesIndex();
  const first = index.canonicalOf(internAll(index, [[1, Buffer.from('first')]]));
  for (let i = 0; i < 20_000; i++) internAll(index, [[1, Buffer.from(`host_${i}`)]]);
  internAll(index, [[1, Buffer.alloc(3_000_000, 'x')]]);
  assert.deepEqual(Buffer.from(first), canonical([[1, Buffer.from('first')]]));
  assert.equal(internAll(index, [[1, Buffer.from('host_19999')]]), 20_000);
  assert.equal(index.canonicalOf(20_001).length, 3_000_006);
  assert.ok(index.estimatedBytes > 3_000_000);
});

test('a row is doubtful unless its time is after all earlier ones of its series', () => {
  const int64 = fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-5n, 5n));
  fc.assert(
    fc.property(fc.option(int64, { nil: undefined }), fc.array(fc.tuple(fc.nat(2), int64)), (floorNs, rows) => {
      const index = new SeriesIndex({ floorNs });
      for (let id = 0; id < 3; id++) internAll(index, [[id, Buffer.from('x')]]);
      const greatest = [0, 1, 2].map(() => floorNs ?? -(2n ** 63n));
      for (const [id, time] of rows) {
        const doubtful = time <= (greatest[id] as bigint);
        assert.equal(index.observe(id, Number(BigInt.asIntN(32, time >> 32n)), Number(BigInt.asUintN(32, time))), doubtful);
        if (!doubtful) greatest[id] = time;
      }
    }),
  );
});

test('observeRows counts the doubtful rows of a batch', () => {
  const index = new SeriesIndex();
  internAll(index, [[0, Buffer.from('a')]]);
  internAll(index, [[0, Buffer.from('b')]]);
  const ids = Int32Array.of(0, 1, 0, 1, 0, 9);
  const times = BigInt64Array.of(-1n, 4294967295n, 0n, 4294967296n, 0n, 0n);
  assert.equal(index.observeRows(ids, times, 5), 1);
});
