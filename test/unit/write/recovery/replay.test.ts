import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TableSchema } from '../../../../src/catalog/schema.ts';
import { encodeBatch, SeriesDefinitions } from '../../../../src/write/batch/index.ts';
import { Replay } from '../../../../src/write/recovery/replay.ts';
import { SeriesIndex } from '../../../../src/write/series/index.ts';
import type { PersistedRange } from '../../../../src/write/snapshot/index.ts';
import { testEngine } from '../../../support/engine.ts';
import { modelLine, parsedTable, type TestRow, testTable } from '../../../support/model-table.ts';
import { bufferedLines, openBuffer } from '../../../support/write-buffer.ts';

const TABLE = testTable([
  ['host', 'tag'],
  ['f', 'float'],
  ['s', 'string'],
  ['time', 'time'],
]);

function row(host: string, timeNs: bigint): TestRow {
  return { tags: { host }, fields: { f: Number(timeNs), s: `at ${timeNs} on ${host}` }, timeNs };
}

async function replayed(
  t: { after(fn: () => Promise<void>): void },
  records: readonly (readonly [number, Uint8Array])[],
  persisted: readonly PersistedRange[],
  schemaOf: (tableId: number) => TableSchema | undefined = () => TABLE,
  gaveOut: () => boolean = () => true,
): Promise<{ lines: string[]; replay: Replay }> {
  const { engine } = await testEngine(t);
  const buffer = openBuffer(engine, (_, tableId) => schemaOf(tableId));
  await buffer.open();
  const tables = { tableById: (_: number, tableId: number) => schemaOf(tableId), gaveOut };
  const replay = new Replay(buffer, tables, persisted);
  for (const [fileNumber, body] of records) replay.record(fileNumber, body);
  return { lines: await bufferedLines(engine, buffer, TABLE), replay };
}

test('series ids of one WAL file do not leak into the next', async (t) => {
  const first = new SeriesIndex();
  const second = new SeriesIndex();
  const a = encodeBatch(1, [parsedTable(TABLE, first, [row('a', 1n), row('b', 2n)])], new SeriesDefinitions(), 1);
  const b = encodeBatch(1, [parsedTable(TABLE, second, [row('b', 3n), row('c', 4n), row('a', 5n)])], new SeriesDefinitions(), 2);
  const { lines, replay } = await replayed(
    t,
    [
      [1, a],
      [2, b],
    ],
    [],
  );
  assert.deepEqual(lines, [row('a', 1n), row('b', 2n), row('b', 3n), row('c', 4n), row('a', 5n)].map(modelLine).sort());
  assert.equal(replay.stats.rows, 5);
});

test('a series is defined once in a WAL file and used by later records of it', async (t) => {
  const series = new SeriesIndex();
  const definitions = new SeriesDefinitions();
  const a = encodeBatch(1, [parsedTable(TABLE, series, [row('a', 1n)])], definitions, 1);
  const b = encodeBatch(1, [parsedTable(TABLE, series, [row('a', 2n)])], definitions, 1);
  const c = encodeBatch(1, [parsedTable(TABLE, series, [row('a', 3n)])], definitions, 2);
  assert.ok(b.length < a.length, 'the second record repeats no definition');
  assert.equal(c.length, a.length, 'the next file defines it again');
  const { lines } = await replayed(
    t,
    [
      [1, a],
      [1, b],
      [2, c],
    ],
    [],
  );
  assert.deepEqual(lines, [1n, 2n, 3n].map((time) => modelLine(row('a', time))).sort());
});

test('rows that a snapshot holds are not replayed, later rows of the same record are', async (t) => {
  const series = new SeriesIndex();
  const rows = [10n, 20n, 30n, 40n].map((time) => row('a', time));
  const record = encodeBatch(1, [parsedTable(TABLE, series, rows)], new SeriesDefinitions(), 7);
  const range = { lastWalFileNumber: 7, endMarkerNs: 25n };
  const { lines, replay } = await replayed(t, [[7, record]], [range]);
  assert.deepEqual(lines, rows.slice(2).map(modelLine).sort());
  assert.deepEqual(replay.stats, { rows: 2, skippedRows: 2, droppedRows: 0 });
  const beyond = encodeBatch(1, [parsedTable(TABLE, series, rows)], new SeriesDefinitions(), 8);
  assert.equal((await replayed(t, [[8, beyond]], [range])).lines.length, 4);
});

test('rows of a table that left the catalog are dropped and counted', async (t) => {
  const record = encodeBatch(1, [parsedTable(TABLE, new SeriesIndex(), [row('a', 1n)])], new SeriesDefinitions(), 1);
  const { lines, replay } = await replayed(t, [[1, record]], [], () => undefined);
  assert.deepEqual(lines, []);
  assert.equal(replay.stats.droppedRows, 1);
});

test('rows of a table or a column that the catalog never made stop the start: the next one would get them', async (t) => {
  const series = new SeriesIndex();
  const batch = encodeBatch(1, [parsedTable(TABLE, series, [row('a', 5n)])], new SeriesDefinitions(), 1);
  const missing = {
    name: 'StartupError',
    code: 'CATALOG_CORRUPT',
    message: /^WAL file 1 has rows of table id 0 of database id 1 that the catalog does not know/,
  };
  await assert.rejects(
    replayed(
      t,
      [[1, batch]],
      [],
      () => undefined,
      () => false,
    ),
    missing,
  );
  const fewer = { ...TABLE, columns: TABLE.columns.slice(0, 1) };
  await assert.rejects(
    replayed(t, [[1, batch]], [], () => fewer),
    missing,
  );
});
