import { randomUUID } from 'node:crypto';
import { Catalog, type DatabaseSchema, type TableSchema } from '../catalog/index.ts';
import type { Clock } from '../shared/clock.ts';
import { silentLogger } from '../shared/logger.ts';
import { openStore } from '../storage/index.ts';
import { decodeBatch, encodeBatch, SeriesDefinitions, type TableSection } from './batch/index.ts';
import { LineParser } from './line-protocol/index.ts';
import { SeriesIndex } from './series/index.ts';

/** Rows of one table as a write would make them. */
export interface RehearsedRows {
  readonly table: TableSchema;
  readonly section: TableSection;
  readonly series: SeriesIndex;
}

export interface RehearsalRequest {
  readonly database: string;
  /** The tables that are there; undefined = there is no such database yet. */
  readonly schema: DatabaseSchema | undefined;
  readonly lines: string;
  readonly clock: Clock;
}

/**
 * What a write of these lines would store, without storing anything: it goes through parser and catalog of its own, which
 * begin with the tables that are there. Times are nanoseconds. Throws what the write would throw.
 */
export async function rehearseWrite({ clock, database, lines, schema }: RehearsalRequest): Promise<RehearsedRows[]> {
  const store = await openStore({ kind: 'memory', nodeId: 'rehearsal' });
  const catalog = await Catalog.open({ objects: store.objects, clock, randomUuid: randomUUID, log: silentLogger });
  try {
    await copySchema(catalog, database, schema);
    return await parse(catalog, { database, lines, clock });
  } finally {
    await catalog.close();
    await store.close();
  }
}

async function copySchema(catalog: Catalog, database: string, schema: DatabaseSchema | undefined): Promise<void> {
  const transaction = catalog.beginWrite(database);
  for (const { columns, deleted, name } of schema?.tables.values() ?? []) {
    if (!deleted) transaction.stage({ tableName: name, newColumns: columns.map((column) => ({ name: column.name, type: column.type })) });
  }
  await catalog.commit(transaction);
}

async function parse(catalog: Catalog, { clock, database, lines }: Omit<RehearsalRequest, 'schema'>): Promise<RehearsedRows[]> {
  const indexes = new Map<TableSchema, SeriesIndex>();
  const seriesOf = (table: TableSchema): SeriesIndex => {
    const known = indexes.get(table) ?? new SeriesIndex();
    indexes.set(table, known);
    return known;
  };
  const parser = new LineParser({ seriesOf });
  const options = { precision: 'nanosecond' as const, acceptPartial: false, ingestTimeNs: clock.nowNs() };
  const body = Buffer.from(lines);
  for (;;) {
    const transaction = catalog.beginWrite(database);
    const { result, schemaChanged } = parser.parse(body, transaction, options, (rows) => {
      const databaseId = rows.value[0]?.table.databaseId ?? 0;
      return encodeBatch(databaseId, rows.value, new SeriesDefinitions(), 1);
    });
    if (schemaChanged) {
      await catalog.commit(transaction);
      continue;
    }
    if (result === undefined) return [];
    return decodeBatch(result).flatMap((section) => {
      const table = catalog.tableById(section.databaseId, section.tableId);
      return table === undefined ? [] : [{ table, section, series: seriesOf(table) }];
    });
  }
}
