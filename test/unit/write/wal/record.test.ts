import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeFileHeader, decodeRecords, encodeFileHeader, FILE_HEADER_BYTES } from '../../../../src/write/wal/record.ts';
import { RecordGroupEncoder } from '../../../../src/write/wal/record-group.ts';
import { UUID } from './wal-fixture.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
/** Mostly small bodies, which are copied side by side, and some that are written from where they are. */
const body = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 65_530, max: 65_550 }).map((length) => new Uint8Array(length).fill(length)) },
);
const record = fc.record({ body, min: int64, max: int64 });

const PREVIOUS = { fileNumber: 5, recordCount: 3 };

interface Body {
  readonly body: Uint8Array;
  readonly min: bigint;
  readonly max: bigint;
}

/** The records in groups of one, two, three and so on. */
function encodeFile(records: readonly Body[]): Uint8Array {
  const encoder = new RecordGroupEncoder();
  const all = records.map((record, index) => ({ body: record.body, index, minTimeNs: record.min, maxTimeNs: record.max }));
  const pieces: Uint8Array[] = [encodeFileHeader(7, UUID, PREVIOUS)];
  for (let start = 0, size = 1; start < all.length; start += size++) {
    pieces.push(Buffer.concat(encoder.encode(all.slice(start, start + size))));
  }
  return new Uint8Array(Buffer.concat(pieces));
}

test('records survive encode and decode', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      const bytes = encodeFile(records);
      assert.deepEqual(decodeFileHeader(bytes, 7, UUID), { recordsAt: FILE_HEADER_BYTES, previous: PREVIOUS });
      const content = decodeRecords(bytes, FILE_HEADER_BYTES);
      assert.equal(content.damage, undefined);
      assert.equal(content.validBytes, bytes.length);
      assert.deepEqual(
        content.records.map(({ body, minTimeNs, maxTimeNs }) => [Buffer.from(body).toString('hex'), minTimeNs, maxTimeNs]),
        records.map(({ body, min, max }) => [Buffer.from(body).toString('hex'), min, max]),
      );
    }),
  );
});

test('whatever bytes are damaged, decode yields an unchanged prefix of the records and never throws', () => {
  const damage = fc.record({ at: fc.nat(), xor: fc.integer({ min: 1, max: 255 }), cut: fc.nat() });
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 6 }), damage, (records, { at, xor, cut }) => {
      const whole = encodeFile(records);
      const bytes = whole.slice(0, whole.length - (cut % 3 === 0 ? cut % whole.length : 0));
      if (bytes.length <= 32) return;
      const position = 32 + (at % (bytes.length - 32));
      bytes[position] = (bytes[position] ?? 0) ^ xor;
      const expected = records.map(({ body }) => Buffer.from(body).toString('hex'));
      const found = decodeRecords(bytes, FILE_HEADER_BYTES).records.map(({ body }) => Buffer.from(body).toString('hex'));
      assert.deepEqual(found, expected.slice(0, found.length));
    }),
  );
});
