import { Catalog, type CatalogOptions, type ColumnEntry, type SchemaTransaction } from '../../../src/catalog/index.ts';
import type { Clock } from '../../../src/shared/clock.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { DirectoryObjectStore, type FileSystem, nodeFileSystem } from '../../../src/storage/index.ts';

/** 2026-06-17T10:20:30.400Z. */
export const NOW_MS = 1_781_691_630_400;

export class FixedClock implements Clock {
  ms = NOW_MS;

  nowNs(): bigint {
    return BigInt(this.ms) * 1_000_000n;
  }

  nowMs(): number {
    return this.ms;
  }

  monotonicMs(): number {
    return this.ms;
  }
}

/** UUIDs that can be told apart: the last digits count. */
export function countingUuids(): () => string {
  let count = 0;
  return () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`;
}

export function openCatalog(
  root: string,
  { fs = nodeFileSystem, ...overrides }: Partial<CatalogOptions> & { fs?: FileSystem } = {},
): Promise<Catalog> {
  const objects = new DirectoryObjectStore(fs, root);
  return Catalog.open({ objects, clock: new FixedClock(), randomUuid: countingUuids(), log: silentLogger, ...overrides });
}

/** Stages `table` with columns such as `['host', 'tag']`; `time` comes last when the table is new. */
export function stage(transaction: SchemaTransaction, tableName: string, columns: readonly ColumnEntry[]): void {
  const isNew = transaction.table(tableName) === undefined;
  const newColumns = columns.map(([name, type]) => ({ name, type }));
  if (isNew) newColumns.push({ name: 'time', type: 'time' });
  transaction.stage({ tableName, newColumns });
}

/** One write that adds the columns. */
export async function addColumns(catalog: Catalog, database: string, table: string, columns: readonly ColumnEntry[]): Promise<void> {
  const transaction = catalog.beginWrite(database);
  stage(transaction, table, columns);
  if ((await catalog.commit(transaction)) !== 'committed') throw new Error('unexpected conflict');
}

/** Names, ids and types of everything user-made, for comparisons across a restart. */
export function describe(catalog: Catalog): unknown {
  return [...catalog.databases()].map((database) => ({
    id: database.id,
    name: database.name,
    deleted: database.deleted,
    retention: database.retentionPeriodNs,
    policy: [database.defaultPolicy, database.shardDurationNs, database.replicas],
    hardDelete: database.hardDeleteTimeNs,
    triggers: [...catalog.triggers(database)],
    tables: [...database.tables.values()].map((table) => ({
      id: table.id,
      name: table.name,
      deleted: table.deleted,
      retention: table.retentionPeriodNs,
      hardDelete: table.hardDeleteTimeNs,
      columns: table.columns.map((column) => `${column.id}:${column.name}:${column.type}`),
      seriesKey: table.seriesKey.map((column) => column.name),
      lastCaches: [...catalog.lastCaches(table)].map((cache) => JSON.stringify(cache)),
      distinctCaches: [...catalog.distinctCaches(table)],
    })),
  }));
}
