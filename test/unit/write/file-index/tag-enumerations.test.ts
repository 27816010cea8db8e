import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { TagEnumerations } from '../../../../src/write/parquet/tag-enumerations.ts';
import { TestWriteStore, temporaryDirectory } from '../../../support/write-store.ts';

const DAY_NS = 86_400_000_000_000n;
const HOSTS = 10_000;

interface StoredRow {
  readonly host: string | null;
  readonly id: string;
  readonly v: bigint;
}

/** More rows than a snapshot ranks at least: a tag of many values, one of few that is absent at times, one that is always absent. */
function lines(day: bigint): string {
  const all: string[] = [];
  for (let row = 0; row < HOSTS * 2; row++) {
    const id = row % HOSTS;
    const host = id % 3 === 0 ? '' : `,host=h\\ ${id % 7}`;
    all.push(`m,id=i${id}${host} v=${row}i ${day * DAY_NS + BigInt(row)}`);
  }
  return all.join('\n');
}

async function storedRows(store: TestWriteStore, path: string): Promise<StoredRow[]> {
  const file = await asyncBufferFromFile(join(store.directory, path));
  const schema = parquetSchema(await parquetMetadataAsync(file));
  for (const { element } of schema.children.filter(({ element }) => ['id', 'host'].includes(element.name))) {
    assert.equal(element.type, 'BYTE_ARRAY');
    assert.equal(element.converted_type, 'UTF8');
  }
  return (await parquetReadObjects({ file, compressors })) as unknown as StoredRow[];
}

function checkRows(rows: readonly StoredRow[], rounds: number): void {
  assert.equal(rows.length, HOSTS * 2 * rounds);
  for (const { host, id, v } of rows) {
    const number = Number(v) % HOSTS;
    assert.equal(id, `i${number}`);
    assert.equal(host ?? undefined, number % 3 === 0 ? undefined : `h ${number % 7}`);
  }
}

test('another reader finds the tags of snapshots and of merged files, enumerated or not', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t), { maintenance: { compactionQuietMs: 0 } });
  await store.write('db', lines(100n));
  await store.writes.snapshotNow();
  const table = store.writes.table('db', 'm');
  assert.ok(table !== undefined);
  const [first] = store.writes.parquetFiles(table);
  assert.ok(first !== undefined);
  checkRows(await storedRows(store, first.path), 1);

  await store.write('db', lines(100n).replaceAll('m,id=', 'm,late=x,id='));
  await store.write('db', `m,id=later v=1i ${102n * DAY_NS}`);
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  const merged = store.writes.parquetFiles(table).find((file) => file.rowCount > 1);
  assert.ok(merged !== undefined && /\/c\d{10}\.parquet$/.test(merged.path));
  checkRows(await storedRows(store, merged.path), 2);
  await store.stop();
});

test('types that a failure left behind are replaced', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  const { engine } = store;
  const source = (value: string): string => `(SELECT i::VARCHAR AS lead, '${value}' AS a, NULL::VARCHAR AS b FROM range(100) AS t(i))`;
  await TagEnumerations.create(engine, ['lead', 'a'], source('old'), 'x');
  const again = await TagEnumerations.create(engine, ['lead', 'a', 'b'], source('new'), 'x');
  await engine.run(`SELECT ${again.cast('a', "'new'")}, ${again.cast('b', 'NULL')}`);
  await assert.rejects(engine.run(`SELECT ${again.cast('a', "'old'")}`));
  await again.drop();
  await again.drop();
  const none = await TagEnumerations.create(engine, [], '(SELECT 1)', 'x');
  assert.equal(none.cast('a', 'a'), 'a');
  await none.drop();
  await store.stop();
});

test('tags that lead the order of the rows stay texts, so that readers can leave out row groups by them', async (t) => {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  const source = `(SELECT (i % 4)::VARCHAR AS region, (i % 100)::VARCHAR AS host, (i % 7)::VARCHAR AS rack FROM range(1000) AS t(i))`;
  const enumerations = await TagEnumerations.create(store.engine, ['region', 'host', 'rack'], source, 'y');
  assert.equal(enumerations.cast('region', 'region'), 'region');
  assert.equal(enumerations.cast('host', 'host'), 'host');
  assert.notEqual(enumerations.cast('rack', 'rack'), 'rack');
  await enumerations.drop();
  await store.stop();
});
