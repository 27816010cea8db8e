import assert from 'node:assert/strict';
import { ModelTable, modelLine, type TestRow } from './model-table.ts';
import type { TestWriteStore } from './write-store.ts';

const MINUTE = 60_000_000_000n;

/** What clients know: rows that were acknowledged, and those of the write whose answer never came. */
export class KnownRows {
  readonly acknowledged: TestRow[][] = [];
  doubtful: TestRow[][] = [];
  deleted = false;

  async write(store: TestWriteStore, rows: TestRow[]): Promise<void> {
    this.doubtful.push(rows);
    const lines = rows.map((row) => `m,k=${row.tags['k']} ${fields(row)} ${row.timeNs}`);
    await store.write('db', lines.join('\n'));
    this.doubtful = this.doubtful.filter((each) => each !== rows);
    this.acknowledged.push(rows);
  }

  /** A delete of a table of its own: either it was answered, then no row is left, or every state is right. */
  async deleteAll(store: TestWriteStore): Promise<void> {
    await store.writes.deleteRows('db', { startNs: 0n, stopNs: 2n ** 62n, table: 'd', tags: [['k', 'a']] });
    this.deleted = true;
  }

  async checkDeleted(store: TestWriteStore, when: string): Promise<void> {
    const rows = await store.rows('db', 'd');
    if (this.deleted) assert.deepEqual(rows.map(modelLine), [], when);
  }

  /** The rows are all of the acknowledged ones, with or without the doubtful writes as a whole. */
  check(rows: readonly TestRow[], when: string): void {
    const found = rows.map(modelLine).sort();
    for (let mask = 0; mask < 1 << this.doubtful.length; mask++) {
      const model = new ModelTable();
      const kept = this.doubtful.filter((_, i) => (mask >> i) & 1);
      for (const row of [...this.acknowledged, ...kept].flat()) model.write(row);
      if (JSON.stringify(model.lines()) === JSON.stringify(found)) return;
    }
    const model = new ModelTable();
    for (const row of this.acknowledged.flat()) model.write(row);
    assert.deepEqual(found, model.lines(), when);
  }
}

function fields(row: TestRow): string {
  return Object.entries(row.fields)
    .map(([name, value]) => `${name}=${value}i`)
    .join(',');
}

/** Three rows of a table `m`, half an hour apart, so that each is in a chunk of its own. */
export function scenarioRows(first: number, field: string, value: bigint): TestRow[] {
  return Array.from({ length: 3 }, (_, i) => ({
    tags: { k: `k${i % 2}` },
    fields: { [field]: value + BigInt(i) },
    timeNs: BigInt(first + i) * 29n * MINUTE,
  }));
}

/** Writes, rewrites, snapshots, a compaction and a hard delete. Stops at the first error that a client would see. */
export async function writeScenario(store: TestWriteStore, known: KnownRows): Promise<void> {
  await known.write(store, scenarioRows(0, 'a', 1n));
  await store.write('db', 'other v=1 1\nd,k=a v=1 1');
  await store.writes.snapshotNow();
  await known.write(store, scenarioRows(1, 'b', 100n));
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  await store.write('db', 'd,k=a v=1 2');
  await known.deleteAll(store);
  await known.write(store, scenarioRows(1, 'a', 200n));
  await store.catalog.softDeleteTable('db', 'other', { kind: 'now' });
  await store.writes.maintainNow();
  await store.writes.snapshotNow();
  await store.writes.maintainNow();
  await known.write(store, scenarioRows(2, 'b', 300n));
}
