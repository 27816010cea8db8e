import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnSchema, TableSchema } from '../../../../src/catalog/schema.ts';
import type { Engine } from '../../../../src/duckdb/index.ts';
import { encodeBatch, SeriesDefinitions } from '../../../../src/write/batch/index.ts';
import type { BufferView, WriteBuffer } from '../../../../src/write/buffer/index.ts';
import { tableScanSql } from '../../../../src/write/scan/index.ts';
import { readRows, testEngine } from '../../../support/engine.ts';
import { modelLine, parsedTable, type TestRow, testTable } from '../../../support/model-table.ts';
import { openBuffer } from '../../../support/write-buffer.ts';

const CHUNK_NS = 600_000_000_000n;

const COLUMNS = [
  ['host', 'tag'],
  ['v', 'integer'],
  ['time', 'time'],
] as const;

function write(buffer: WriteBuffer, table: TableSchema, rows: readonly TestRow[]): void {
  buffer.apply(encodeBatch(table.databaseId, [parsedTable(table, buffer.series(table), rows)], new SeriesDefinitions(), 0));
}

const row = (host: string, v: number, second: number): TestRow => ({
  tags: { host },
  fields: { v: BigInt(v) },
  timeNs: BigInt(second) * 1_000_000_000n,
});

async function viewOf(buffer: WriteBuffer, table: TableSchema): Promise<BufferView> {
  const view = await buffer.table(table.databaseId, table.id)?.view();
  assert.ok(view !== undefined);
  return view;
}

/** What a query reads that asks for all columns of a table. */
async function linesOf(engine: Engine, view: BufferView, table: TableSchema): Promise<string[]> {
  const columns = table.columns.map((column) => ({ column, as: column.name }));
  const bounds = { minTimeNs: undefined, maxTimeNs: undefined, cutoffNs: undefined };
  const source = tableScanSql({ table, columns, files: [], buffer: view, chunkDurationNs: CHUNK_NS, ...bounds });
  return (await readRows(engine, source, table)).map(modelLine).sort();
}

const lines = (rows: readonly TestRow[]): string[] => rows.map(modelLine).sort();

/** The same table with one column more, as the catalog has it after a write that brought one. */
function withColumn(table: TableSchema, name: string, type: 'tag' | 'float'): TableSchema {
  const column: ColumnSchema = { id: table.columns.length, name, type };
  (table.columns as ColumnSchema[]).push(column);
  (table.columnByName as Map<string, ColumnSchema>).set(name, column);
  if (type === 'tag') (table.seriesKey as ColumnSchema[]).push(column);
  return table;
}

test('a key that is overwritten after a view was taken is in it once, with its old value', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const buffer = openBuffer(engine, table);
  await buffer.open();
  const first = Array.from({ length: 3000 }, (_, i) => row(`h${i % 10}`, i, i));
  write(buffer, table, first);
  const view = await viewOf(buffer, table);
  write(
    buffer,
    table,
    first.map(({ tags, timeNs }) => ({ tags, fields: { v: -1n }, timeNs })),
  );
  const later = await viewOf(buffer, table); // moves the rows that came since into the same table
  assert.deepEqual(await linesOf(engine, view, table), lines(first));
  const overwritten = first.map(({ tags, timeNs }) => ({ tags, fields: { v: -1n }, timeNs }));
  assert.deepEqual(await linesOf(engine, later, table), lines(overwritten));
  view.release();
  later.release();
});

test('a query may ask for fields and tags that came after its view was taken', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const buffer = openBuffer(engine, table);
  await buffer.open();
  const first = [row('a', 1, 1), row('b', 2, 2)];
  write(buffer, table, first);
  const view = await viewOf(buffer, table);
  withColumn(withColumn(table, 'late', 'float'), 'rack', 'tag');
  const second: TestRow = { tags: { host: 'a', rack: 'r1' }, fields: { late: 0.5 }, timeNs: 3_000_000_000n };
  write(buffer, table, [second]);
  assert.deepEqual(await linesOf(engine, view, table), lines(first));
  const later = await viewOf(buffer, table);
  assert.deepEqual(await linesOf(engine, view, table), lines(first), 'the columns are in the tables by now');
  assert.deepEqual(await linesOf(engine, later, table), lines([...first, second]));
  view.release();
  later.release();
});

test('rows that are hidden, persisted or dropped after a view was taken stay in it', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const buffer = openBuffer(engine, table);
  await buffer.open();
  const rows = [row('a', 1, 1), row('b', 2, 2)];
  write(buffer, table, rows);
  const hidden = buffer.table(table.databaseId, table.id)?.view();
  buffer.table(table.databaseId, table.id)?.hide({ startNs: 0n, stopNs: 1_000_000_000n, tags: [] });
  const view = await hidden;
  assert.ok(view !== undefined);
  assert.deepEqual(await linesOf(engine, view, table), lines(rows));
  view.release();
  assert.deepEqual(await linesOf(engine, await viewOf(buffer, table), table), lines([row('b', 2, 2)]));

  write(buffer, table, [row('c', 3, 3)]);
  const opening = buffer.table(table.databaseId, table.id)?.view(); // its rows still wait
  await buffer.dropTable(table.databaseId, table.id);
  const dropped = await opening;
  assert.ok(dropped !== undefined);
  assert.deepEqual(await linesOf(engine, dropped, table), lines([row('b', 2, 2), row('c', 3, 3)]));
  dropped.release();
});

test('what a view or a look at the buffer returned does not change', async (t) => {
  const { engine } = await testEngine(t);
  const table = testTable(COLUMNS);
  const buffer = openBuffer(engine, table);
  await buffer.open();
  write(buffer, table, [row('a', 1, 1)]);
  const live = buffer.table(table.databaseId, table.id);
  assert.ok(live !== undefined);
  const view = await live.view();
  const seen = [live.peek(), view];
  withColumn(table, 'late', 'float');
  write(buffer, table, [row('a', 2, 1), { tags: { host: 'a' }, fields: { late: 1 }, timeNs: CHUNK_NS * 5n }]);
  live.hide({ startNs: 0n, stopNs: 1n, tags: [] });
  write(buffer, table, [row('a', 3, 1)]);
  for (const { generations, dirtyChunks } of seen) {
    assert.equal(dirtyChunks.size, 0);
    const [generation] = generations;
    assert.equal(generations.length, 1);
    assert.equal(generation?.rows, 1);
    assert.deepEqual([...(generation?.chunks ?? [])], [[0n, { rows: 1, minTimeNs: 1_000_000_000n, maxTimeNs: 1_000_000_000n }]]);
    assert.deepEqual(generation?.fields, [{ id: 1, type: 'integer' }]);
    assert.deepEqual(generation?.deletes, []);
  }
  view.release();
});
