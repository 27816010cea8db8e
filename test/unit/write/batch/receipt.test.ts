import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BatchReceipt, decodeBatch, encodeBatch, SeriesDefinitions } from '../../../../src/write/batch/index.ts';
import type { ParsedTable } from '../../../../src/write/line-protocol/index.ts';
import { SeriesIndex } from '../../../../src/write/series/index.ts';
import { parsedTable, type TestRow, testTable } from '../../../support/model-table.ts';

const COLUMNS = [
  ['host', 'tag'],
  ['v', 'integer'],
  ['s', 'string'],
] as const;

function table(id: number, rows: number): ParsedTable {
  const values: TestRow[] = Array.from({ length: rows }, (_, i) => ({
    tags: { host: `h${i % 3}` },
    fields: i % 2 === 0 ? { v: BigInt(i) } : { v: BigInt(i), s: `text ${i}` },
    timeNs: BigInt(i),
  }));
  return parsedTable(testTable(COLUMNS, id), new SeriesIndex(), values);
}

function encoded(tables: readonly ParsedTable[]): Uint8Array {
  return encodeBatch(1, tables, new SeriesDefinitions(), 1);
}

test('a batch is opened with the series of its tables, which are held until it is settled', () => {
  const tables = [table(0, 5), table(1, 3)];
  const receipt = new BatchReceipt(tables, true);
  const batch = receipt.seal(encoded(tables));
  const opened = receipt.open(batch);
  assert.deepEqual(
    opened.map(({ section, series }) => [section.tableId, section.rowCount, series === tables[section.tableId]?.series]),
    [
      [0, 5, true],
      [1, 3, true],
    ],
  );
  assert.ok(tables.every(({ series }) => series.isHeld));
  receipt.settle();
  receipt.settle();
  assert.ok(tables.every(({ series }) => !series.isHeld));
});

test('any byte of a batch that changes after it was encoded is noticed when it is applied', () => {
  const tables = [table(0, 5), table(1, 3)];
  const receipt = new BatchReceipt(tables, true);
  const batch = receipt.seal(encoded(tables));
  for (let at = 0; at < batch.length; at++) {
    batch[at] = (batch[at] as number) ^ 1;
    assert.throws(() => receipt.open(batch), /changed after it was encoded/);
    batch[at] = (batch[at] as number) ^ 1;
  }
  assert.equal(receipt.open(batch).length, 2);
});

test('a batch with other tables or rows than were put in is refused, with or without a checksum', () => {
  const receipt = new BatchReceipt([table(0, 5), table(1, 3)], false);
  assert.throws(() => receipt.open(encoded([table(0, 5)])), /other tables/);
  assert.throws(() => receipt.open(encoded([table(0, 5), table(1, 4)])), /other rows/);
  assert.throws(() => receipt.open(encoded([table(0, 5), table(2, 3)])), /other rows/);
});

test('a row count that does not fit the bytes of a section is refused', () => {
  const batch = encoded([table(0, 5)]);
  const view = new DataView(batch.buffer);
  for (const rows of [0, 3, 4, 1000]) {
    view.setUint32(12, rows, true);
    assert.throws(() => decodeBatch(batch), Error, `${rows} rows`);
  }
});

test('rows without a series of their table, or of another database, are not encoded', () => {
  const good = table(0, 5);
  for (const id of [-1, 3, 1000]) {
    const seriesIds = good.seriesIds.slice();
    seriesIds[2] = id;
    assert.throws(() => encoded([{ ...good, seriesIds }]), /does not have/);
  }
  assert.throws(() => encodeBatch(2, [good], new SeriesDefinitions(), 1), /of its database/);
  assert.throws(() => encoded([{ ...good, rowCount: 0 }]), /has rows/);
});
