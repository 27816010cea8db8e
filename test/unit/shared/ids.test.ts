import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  CatalogSequence,
  ColumnId,
  DatabaseId,
  FileId,
  SeriesId,
  SnapshotSequence,
  TableId,
  WalFileNumber,
} from '../../../src/shared/ids.ts';

/** The comments are checked by the compiler: a line under one that has no error does not compile. */
test('an id of one kind does not compile as an id of another kind', () => {
  const database: DatabaseId = 1;
  const ofTable = (id: TableId): number => id;
  // @ts-expect-error a database is no table
  assert.equal(ofTable(database), 1);
  const column: ColumnId = 2;
  // @ts-expect-error a column is no series
  const series: SeriesId = column;
  const snapshot: SnapshotSequence = 3;
  // @ts-expect-error a snapshot is no change of the catalog
  const change: CatalogSequence = snapshot;
  const wal: WalFileNumber = 4;
  // @ts-expect-error a log file is no Parquet file
  const file: FileId = wal;
  assert.deepEqual([series, change, file, ofTable(5)], [2, 3, 4, 5]);
});
