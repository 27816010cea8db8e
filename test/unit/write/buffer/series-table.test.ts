import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../../src/duckdb/index.ts';
import { proxied } from '../../../support/faulty-engine.ts';
import { modelLine } from '../../../support/model-table.ts';
import { TestWriteStore, temporaryDirectory } from '../../../support/write-store.ts';

/** Statements that make the table of tag values, or give it a column. */
const ON_TAGS = /^(CREATE TABLE \S+ \(sid INTEGER, c\d+ VARCHAR|ALTER TABLE \S+ ADD COLUMN c\d+ VARCHAR)/;

test('series whose tag comes while the table of tag values is made or changed keep it, in the buffer and in files', async (t) => {
  const directory = await temporaryDirectory(t);
  const meanwhile: string[] = [];
  let store: TestWriteStore | undefined;
  const wrap = (engine: Engine): Engine =>
    proxied(engine, {
      run: async (sql: string) => {
        await engine.run(sql);
        const line = ON_TAGS.test(sql) ? meanwhile.shift() : undefined;
        if (line !== undefined) await store?.write('db', line);
      },
    });
  store = await TestWriteStore.open(directory, {}, undefined, wrap);
  const expectAll = async (): Promise<void> => {
    const rows = (await store?.rows('db', 'm')) ?? [];
    assert.deepEqual(rows.map(modelLine).sort(), ['1|host=a|v=1', '2|host=a,x0=v0|v=2', '3|host=b,x1=v1|v=3']);
  };
  try {
    await store.write('db', 'm,host=a v=1i 1');
    meanwhile.push('m,host=a,x0=v0 v=2i 2', 'm,host=b,x1=v1 v=3i 3');
    for (let i = 0; i < 2; i++) await store.rows('db', 'm');
    assert.deepEqual(meanwhile, []);
    await expectAll();
    await store.writes.snapshotNow();
    await expectAll();
  } finally {
    await store.stop();
  }
});
