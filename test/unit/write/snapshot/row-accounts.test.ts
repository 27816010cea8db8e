import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../../src/duckdb/index.ts';
import { openStore } from '../../../../src/storage/index.ts';
import { encodeBatch, SeriesDefinitions } from '../../../../src/write/batch/index.ts';
import { ParquetWriter } from '../../../../src/write/parquet/parquet-writer.ts';
import { type PersistOptions, persistTable } from '../../../../src/write/snapshot/persist-table.ts';
import { plannedFiles } from '../../../../src/write/snapshot/planned-files.ts';
import { RowsUnaccounted } from '../../../../src/write/snapshot/row-accounts.ts';
import { testEngine } from '../../../support/engine.ts';
import { modelLine, parsedTable, type TestRow, testTable } from '../../../support/model-table.ts';
import { until } from '../../../support/until.ts';
import { openBuffer } from '../../../support/write-buffer.ts';
import { CHUNK_NS, TestWriteStore, temporaryDirectory } from '../../../support/write-store.ts';

const MINUTE_NS = 60_000_000_000n;

/** Ten rows a minute for half an hour: three chunks, the last of which a snapshot of the first two leaves in the buffer. */
const ROWS: readonly TestRow[] = Array.from({ length: 300 }, (_, n) => ({
  tags: { host: `h${n % 10}` },
  fields: { v: BigInt(n) },
  timeNs: BigInt(Math.floor(n / 10)) * MINUTE_NS,
}));

const lineOf = (table: string, { tags, fields, timeNs }: TestRow, more = 0n): string =>
  `${table},host=${tags['host']} v=${(fields['v'] as bigint) + more}i ${timeNs}`;

/** The statement that spoils what DuckDB has of a table. */
async function spoil(engine: Engine, sql: (buffer: string, series: string) => string): Promise<void> {
  const connection = await engine.acquire();
  try {
    const found = await connection.runAndReadAll(
      "SELECT table_name FROM duckdb_tables() WHERE table_name SIMILAR TO '[bs]_[0-9]+_0_.*' ORDER BY 1",
    );
    const names = found.getRows().map(([name]) => name as string);
    const [buffer] = names.filter((name) => name.startsWith('b'));
    const [series] = names.filter((name) => name.startsWith('s'));
    assert.ok(buffer !== undefined && series !== undefined, names.join());
    await connection.run(sql(`"${buffer}"`, `"${series}"`));
  } finally {
    engine.release(connection);
  }
}

const SPOILERS: Readonly<Record<string, (buffer: string, series: string) => string>> = {
  'a row is missing': (buffer) => `DELETE FROM ${buffer} WHERE rowid = 5`,
  'a row is there twice': (buffer) => `INSERT INTO ${buffer} SELECT * FROM ${buffer} WHERE rowid = 5`,
  'a row has the time of another chunk': (buffer) => `UPDATE ${buffer} SET time = make_timestamp_ns(${MINUTE_NS * 11n}) WHERE rowid = 5`,
  'the tags of a series are missing': (_, series) => `DELETE FROM ${series} WHERE sid = 3`,
  'a row of a chunk with repeated keys is missing': (buffer) => `DELETE FROM ${buffer} WHERE rowid = 302`,
  'a row under a delete is missing': (buffer) => `DELETE FROM ${buffer} WHERE rowid = 295`,
};

for (const [name, sql] of Object.entries(SPOILERS)) {
  test(`a snapshot notices before it lets the log go: ${name}`, async (t) => {
    const store = await TestWriteStore.open(await temporaryDirectory(t), { retryPauseMs: 1 });
    t.after(() => store.stop());
    const model = new Map(ROWS.map((row) => [`${row.timeNs} ${row.tags['host']}`, row]));
    await store.write('db', ROWS.map((row) => lineOf('m', row)).join('\n'));
    await store.write('db', ROWS.map((row) => lineOf('other', row)).join('\n'));
    // The first chunk gets repeated keys, the last one a delete.
    for (const row of ROWS.slice(0, 4)) {
      await store.write('db', lineOf('m', row, 1000n));
      model.set(`${row.timeNs} ${row.tags['host']}`, { ...row, fields: { v: (row.fields['v'] as bigint) + 1000n } });
    }
    const gone = { startNs: MINUTE_NS * 29n, stopNs: MINUTE_NS * 30n };
    if (name.includes('delete')) {
      await store.writes.deleteRows('db', { ...gone, table: 'm', tags: [['host', 'h1']] });
      model.delete(`${MINUTE_NS * 29n} h1`);
    }
    const expected = [...model.values()].map(modelLine).sort();
    assert.deepEqual((await store.rows('db', 'm')).map(modelLine).sort(), expected);
    await spoil(store.engine, sql);
    await store.writes.snapshotNow();

    const [aside] = store.writes.tablesAside;
    assert.equal(aside?.table?.name, 'm');
    assert.match(aside.reason ?? '', /rows were acknowledged, \d+ are there/);
    const table = store.writes.table('db', 'm');
    const other = store.writes.table('db', 'other');
    assert.ok(table !== undefined && other !== undefined);
    assert.equal(store.writes.parquetFiles(table).length, 0);
    assert.ok(store.writes.parquetFiles(other).length > 0, 'other tables are persisted');

    const restarted = await store.crashed(t);
    t.after(() => restarted.stop());
    assert.deepEqual((await restarted.rows('db', 'm')).map(modelLine).sort(), expected);
    await restarted.writes.snapshotNow();
    assert.deepEqual(restarted.writes.tablesAside, []);
    assert.deepEqual((await restarted.rows('db', 'm')).map(modelLine).sort(), expected);
  });
}

for (const withDelete of [false, true]) {
  test(`rows that a snapshot leaves in the buffer are counted${withDelete ? ', less what deletes hide' : ''}`, async (t) => {
    const { engine, directory } = await testEngine(t);
    const store = await openStore({ kind: 'file', dataDir: directory, nodeId: 'n1' });
    t.after(() => store.close());
    const table = testTable([
      ['host', 'tag'],
      ['v', 'integer'],
      ['time', 'time'],
    ]);
    const buffer = openBuffer(engine, table);
    await buffer.open();
    buffer.apply(encodeBatch(1, [parsedTable(table, buffer.series(table), ROWS)], new SeriesDefinitions(), 0));
    const live = buffer.table(1, 0);
    assert.ok(live !== undefined);
    const [from, to] = [MINUTE_NS * 25n, MINUTE_NS * 26n];
    if (withDelete) live.hide({ startNs: from, stopNs: to, tags: [{ columnId: 0, value: 'h1' }] });
    const writer = new ParquetWriter(engine, store, new AbortController().signal);
    const paths = { endMarkerNs: CHUNK_NS * 2n, walFileNumber: 1 };
    const options: PersistOptions = { engine, writer, chunkDurationNs: CHUNK_NS, ...paths };
    const generations = live.seal();
    const planned = plannedFiles(table, generations, live.peek().dirtyChunks, options);

    const { remainder, files } = await persistTable(live, generations, planned, options);
    assert.equal(
      files.reduce((sum, file) => sum + file.rowCount, 0),
      200,
    );
    assert.equal(remainder?.rows, withDelete ? 98 : 100);
    assert.deepEqual([...(remainder?.chunks.keys() ?? [])], [CHUNK_NS * 2n]);
    remainder?.retire();

    const tables = async (): Promise<unknown> => {
      const connection = await engine.acquire();
      const found = await connection.runAndReadAll("SELECT count(*) FROM duckdb_tables() WHERE table_name LIKE 'b_%'");
      engine.release(connection);
      return found.getRows()[0]?.[0];
    };
    await until(async () => (await tables()) === 1n || undefined);
    await spoil(engine, (name) => `DELETE FROM ${name} WHERE time = make_timestamp_ns(${MINUTE_NS * 22n}) AND c1 % 10 = 3`);
    await assert.rejects(persistTable(live, generations, planned, options), RowsUnaccounted);
    assert.equal(await tables(), 1n, 'what was copied is dropped');
  });
}
