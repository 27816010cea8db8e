import { assert } from '../shared/assert.ts';
import type { DatabaseId, DistinctCacheId, LastCacheId, TableId, TriggerId } from '../shared/ids.ts';
import type { DistinctCacheDefinition, LastCacheDefinition, TriggerDefinition } from './definitions.ts';
import type { ColumnEntry } from './ops.ts';
import type { ColumnSchema, DatabaseSchema, TableSchema } from './schema.ts';

/** The catalog's own, growing table. Everyone else sees `TableSchema`. */
export class MutableTable implements TableSchema {
  readonly id: TableId;
  readonly databaseId: DatabaseId;
  name: string;
  readonly columns: ColumnSchema[] = [];
  readonly columnByName = new Map<string, ColumnSchema>();
  readonly seriesKey: ColumnSchema[] = [];
  deleted = false;
  hardDeleteTimeNs: bigint | undefined = undefined;
  /** While it is soft-deleted: its name before. Undefined = deleted by a version that did not note it. */
  nameBefore: string | undefined = undefined;
  /** While it is soft-deleted: it went with its database and comes back with it. Undefined as for `nameBefore`. */
  deletedWithDatabase: boolean | undefined = undefined;
  retentionPeriodNs: bigint | undefined = undefined;
  readonly lastCaches = new Map<string, LastCacheDefinition>();
  readonly distinctCaches = new Map<string, DistinctCacheDefinition>();
  nextLastCacheId: LastCacheId = 0;
  nextDistinctCacheId: DistinctCacheId = 0;

  constructor(id: TableId, databaseId: DatabaseId, name: string) {
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
  readonly id: DatabaseId;
  name: string;
  /** By creation. */
  readonly tables = new Map<string, MutableTable>();
  readonly tableById = new Map<TableId, MutableTable>();
  readonly triggers = new Map<string, TriggerDefinition>();
  nextTableId: TableId = 0;
  nextTriggerId: TriggerId = 0;
  liveTableCount = 0;
  deleted = false;
  hardDeleteTimeNs: bigint | undefined = undefined;
  /** While it is soft-deleted: its name before. Undefined = deleted by a version that did not note it. */
  nameBefore: string | undefined = undefined;
  retentionPeriodNs: bigint | undefined = undefined;
  defaultPolicy: string | undefined = undefined;
  shardDurationNs: bigint | undefined = undefined;
  replicas: number | undefined = undefined;

  constructor(id: DatabaseId, name: string) {
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

  /** Returns the table that had to give way, undefined as it should be (see `rename`). */
  renameTable(table: MutableTable, name: string): MutableTable | undefined {
    return rename(this.tables, this.tableById.values(), table, name);
  }

  removeTable(table: MutableTable): void {
    this.tables.delete(table.name);
    this.tableById.delete(table.id);
    if (!table.deleted) this.liveTableCount--;
  }
}

/**
 * Renames an item and fills the index of names anew, so that its order stays that of creation. Two items never share a
 * name: changes are checked before they are made durable (`invariants.ts`). Logs of earlier versions may ask for it all
 * the same; then the newer item gets the name and the older one `<name>-<id>`, and is returned.
 */
export function rename<T extends { readonly id: number; name: string }>(
  index: Map<string, T>,
  inOrder: Iterable<T>,
  item: T,
  name: string,
): T | undefined {
  const holder = index.get(name);
  const moved = holder === undefined || holder === item ? undefined : holder.id < item.id ? holder : item;
  index.delete(item.name);
  item.name = name;
  if (moved !== undefined) {
    let free = name;
    while (index.has(free)) free += `-${moved.id}`;
    moved.name = free;
  }
  const items = [...inOrder];
  index.clear();
  for (const each of items) index.set(each.name, each);
  return moved;
}
