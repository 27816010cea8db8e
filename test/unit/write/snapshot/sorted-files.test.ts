import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { modelLine } from '../../../support/model-table.ts';
import { TestWriteStore, temporaryDirectory } from '../../../support/write-store.ts';

const START_NS = 1_700_000_000_000_000_000n;

/** Rows of series with no, one or both tags, in the order of time; every fourth has a second field. */
function lines(series: number, rowsPerSeries: number): string[] {
  const all: string[] = [];
  for (let row = 0; row < rowsPerSeries; row++) {
    for (let i = 0; i < series; i++) {
      const host = i % 5 === 0 ? '' : `,host=h${(i * 7) % series}`;
      const region = i % 3 === 0 ? '' : `,region=r${i % 4}\\ of\\ ${series}`;
      const id = i % 5 === 0 && i % 3 === 0 ? `,id=i${i}` : '';
      const more = row % 4 === 0 ? `,s="text ${i}"` : '';
      all.push(`m${host}${region}${id} v=${row}i${more} ${START_NS + BigInt(row)}`);
    }
  }
  return all;
}

for (const [what, series, rowsPerSeries] of [
  ['few series', 50, 40],
  ['few series and many rows', 50, 300],
  ['more values of a tag than are enumerated', 12_000, 3],
  ['as many series as rows', 700, 1],
] as const) {
  test(`a file of ${what} is sorted by tags and time and holds every row`, async (t) => {
    const store = await TestWriteStore.open(await temporaryDirectory(t));
    const all = lines(series, rowsPerSeries);
    const half = Math.floor(all.length / 2);
    await store.write('db', all.slice(0, half).join('\n'));
    const first = store.writes.table('db', 'm');
    assert.ok(first !== undefined);
    await store.writes.deleteRows('db', { startNs: 0n, stopNs: START_NS, tags: [['host', 'h7']] }); // begins another generation
    await store.write('db', all.slice(half).join('\n'));
    const before = await store.rows('db', 'm');
    await store.writes.snapshotNow();

    assert.equal(store.writes.bufferedBytes, 0);
    const table = store.writes.table('db', 'm');
    assert.ok(table !== undefined);
    const [file, ...others] = store.writes.parquetFiles(table);
    assert.ok(file !== undefined && others.length === 0);
    assert.equal(file.rowCount, before.length);
    assert.deepEqual((await store.rows('db', 'm')).map(modelLine).sort(), before.map(modelLine).sort());

    const connection = await store.engine.acquire();
    const path = join(store.directory, file.path);
    const names = [...table.seriesKey.map((tag) => tag.name), 'time'];
    const result = await connection.runAndReadAll(`SELECT ${names.join(', ')} FROM read_parquet('${path}')`);
    const keys = result.getRowObjectsJson().map((row) => names.map((name) => row[name] ?? '').join('\0'));
    assert.deepEqual(keys, keys.toSorted());
    store.engine.release(connection);
    await store.stop();
  });
}
