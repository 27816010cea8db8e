import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeRecords, encodeFileHeader, encodeRecord, fileHeaderProblem } from '../../../../src/write/wal/record.ts';
import { UUID } from './wal-fixture.ts';

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const record = fc.record({ parts: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), min: int64, max: int64 });

function encodeFile(records: readonly { parts: Uint8Array[]; min: bigint; max: bigint }[]): Uint8Array {
  const parts = records.flatMap(({ parts: body, min, max }, i) => encodeRecord(body, i, min, max));
  return new Uint8Array(Buffer.concat([encodeFileHeader(7, UUID), ...parts]));
}

test('records survive encode and decode', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 8 }), (records) => {
      const bytes = encodeFile(records);
      assert.equal(fileHeaderProblem(bytes, 7, UUID), undefined);
      const content = decodeRecords(bytes);
      assert.equal(content.damage, undefined);
      assert.equal(content.validBytes, bytes.length);
      assert.deepEqual(
        content.records.map(({ body, minTimeNs, maxTimeNs }) => [Buffer.from(body).toString('hex'), minTimeNs, maxTimeNs]),
        records.map(({ parts, min, max }) => [Buffer.concat(parts).toString('hex'), min, max]),
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
      const expected = records.map(({ parts }) => Buffer.concat(parts).toString('hex'));
      const found = decodeRecords(bytes).records.map(({ body }) => Buffer.from(body).toString('hex'));
      assert.deepEqual(found, expected.slice(0, found.length));
    }),
  );
});
