import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TableSchema } from '../../src/catalog/schema.ts';
import { Engine, sqlIdentifier, uniqueNames } from '../../src/duckdb/index.ts';
import type { TestRow, TestValue } from './model-table.ts';

/** A real engine in a directory of its own, both gone at the end of the test. */
export async function testEngine(t: { after(fn: () => Promise<void>): void }): Promise<{ engine: Engine; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'influxdb3-test-'));
  const engine = await Engine.open({
    threads: 2,
    memoryLimitBytes: 512 * 1024 * 1024,
    tempDirectory: join(directory, 'spill'),
    allowedDirectories: [directory],
    setupStatements: [],
  });
  t.after(async () => {
    engine.close();
    await rm(directory, { recursive: true, force: true });
  });
  return { engine, directory };
}

/** Names of a table's columns inside DuckDB. */
export function engineNames(table: TableSchema): readonly string[] {
  return uniqueNames(table.columns.map((column) => column.name));
}

/** Runs a query whose columns are named by `engineNames` and returns its rows. */
export async function readRows(engine: Engine, source: string, table: TableSchema): Promise<TestRow[]> {
  const connection = await engine.acquire();
  try {
    const quoted = engineNames(table).map(sqlIdentifier);
    const names = table.columns.map(({ type }, i) => (type === 'time' ? `epoch_ns(${quoted[i]})` : quoted[i])).join(', ');
    const reader = await connection.runAndReadAll(`SELECT ${names} FROM ${source} AS r`);
    return reader.getRows().map((cells) => {
      const tags: Record<string, string> = {};
      const fields: Record<string, TestValue> = {};
      let timeNs = 0n;
      table.columns.forEach((column, i) => {
        const cell = cells[i] as TestValue | null;
        if (column.type === 'time') timeNs = cell as bigint;
        else if (cell !== null) (column.type === 'tag' ? (tags as Record<string, TestValue>) : fields)[column.name] = cell;
      });
      return { tags, fields, timeNs };
    });
  } finally {
    engine.release(connection);
  }
}
