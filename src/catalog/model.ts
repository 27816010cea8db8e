import { assert } from '../shared/assert.ts';
import type { DistinctCacheDefinition, LastCacheDefinition, TriggerDefinition } from './definitions.ts';
import type { ColumnEntry } from './ops.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema } from './schema.ts';

/** The catalog's own, growing table. Everyone else sees `TableSchema`. */
export class MutableTable implements TableSchema {
  readonly id: number;
  readonly databaseId: number;
  name: string;
  readonly columns: ColumnSchema[] = [];
  readonly columnByName = new Map<string, ColumnSchema>();
  readonly seriesKey: ColumnSchema[] = [];
  deleted = false;
  hardDeleteTimeNs: bigint | undefined = undefined;
  retentionPeriodNs: bigint | undefined = undefined;
  readonly lastCaches = new Map<string, LastCacheDefinition>();
  readonly distinctCaches = new Map<string, DistinctCacheDefinition>();
  nextLastCacheId = 0;
  nextDistinctCacheId = 0;

  constructor(id: number, databaseId: number, name: string) {
    this.id = id;
    this.databaseId = databaseId;
    this.name = name;
  }

  addColumns(entries: readonly ColumnEntry[]): void {
    for (const [name, type] of entries) {
      assert(!this.columnByName.has(name), `column '${name}' is added twice`);
      const column: ColumnSchema = { id: this.columns.length, name, type };
      this.columns.push(column);
      this.columnByName.set(name, column);
      if (type === 'tag') this.seriesKey.push(column);
    }
  }
}

/** The catalog's own, growing database. Everyone else sees `DatabaseSchema`. */
export class MutableDatabase implements DatabaseSchema {
  readonly id: number;
  name: string;
  /** By creation. */
  readonly tables = new Map<string, MutableTable>();
  readonly tableById = new Map<number, MutableTable>();
  readonly triggers = new Map<string, TriggerDefinition>();
  nextTableId = 0;
  nextTriggerId = 0;
  liveTableCount = 0;
  deleted = false;
  hardDeleteTimeNs: bigint | undefined = undefined;
  retentionPeriodNs: bigint | undefined = undefined;

  constructor(id: number, name: string) {
    this.id = id;
    this.name = name;
  }

  addTable(table: MutableTable): void {
    assert(!this.tables.has(table.name) && !this.tableById.has(table.id), `table '${table.name}' is added twice`);
    this.tables.set(table.name, table);
    this.tableById.set(table.id, table);
    this.nextTableId = Math.max(this.nextTableId, table.id + 1);
    if (!table.deleted) this.liveTableCount++;
  }

  renameTable(table: MutableTable, name: string): void {
    table.name = name;
    rekey(this.tables, this.tableById.values());
  }

  removeTable(table: MutableTable): void {
    this.tables.delete(table.name);
    this.tableById.delete(table.id);
    if (!table.deleted) this.liveTableCount--;
  }
}

/** Fills a name index anew so that its order stays that of creation after a rename. */
export function rekey<T extends { readonly name: string }>(index: Map<string, T>, inOrder: Iterable<T>): void {
  const items = [...inOrder];
  index.clear();
  for (const item of items) index.set(item.name, item);
}
