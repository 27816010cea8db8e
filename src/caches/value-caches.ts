import type { Catalog, CatalogChange, DistinctCacheDefinition, LastCacheDefinition, TableSchema } from '../catalog/index.ts';
import { planError } from '../query/sql/index.ts';
import type { CacheFunctionName } from '../query/sql/types/contract.ts';
import type { CacheFunctions, CacheRelation } from '../query/system-tables/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { DatabaseId, DistinctCacheId, LastCacheId, TableId } from '../shared/ids.ts';
import type { Timers } from '../shared/timers.ts';
import type { TableSection } from '../write/batch/index.ts';
import type { SeriesIndex } from '../write/series/index.ts';
import { DistinctValueCache } from './distinct-value.ts';
import type { HistoryReader } from './history.ts';
import { LastValueCache } from './last-value.ts';

export interface ValueCachesOptions {
  readonly catalog: Pick<Catalog, 'databases' | 'database' | 'tableById' | 'lastCaches' | 'distinctCaches' | 'onChange'>;
  readonly clock: Clock;
  readonly onWarning: (message: string, fields: Readonly<Record<string, unknown>>) => void;
}

/** Sums over caches; entries are keys or combinations, expired ones included until they are evicted. */
export interface CacheTotals {
  readonly caches: number;
  readonly entries: number;
  readonly bytes: number;
}

interface Slot<Cache> {
  readonly table: TableSchema;
  readonly cache: Cache;
  /** Filling from stored data; begun at most once. */
  filling: Promise<void> | undefined;
}

interface TableCaches {
  readonly last: Map<number, Slot<LastValueCache>>;
  readonly distinct: Map<number, Slot<DistinctValueCache>>;
}

/**
 * All last-value and distinct-value caches of the server: follows the catalog, is fed with every durable row, answers
 * `last_cache(..)` and `distinct_cache(..)` from memory.
 */
export class ValueCaches implements CacheFunctions {
  readonly #options: ValueCachesOptions;
  readonly #tables = new Map<string, TableCaches>();
  readonly #endings: (() => void)[] = [];
  #history: HistoryReader | undefined;

  constructor(options: ValueCachesOptions) {
    this.#options = options;
    const { catalog } = options;
    for (const database of catalog.databases()) {
      for (const table of database.tables.values()) {
        for (const definition of catalog.lastCaches(table)) this.#addLast(table, definition);
        for (const definition of catalog.distinctCaches(table)) this.#addDistinct(table, definition);
      }
    }
    this.#endings.push(catalog.onChange((change) => this.#follow(change)));
  }

  /** Begins the regular removal of what expired, and lets new caches be filled from stored data. */
  start(
    timers: Pick<Timers, 'every'>,
    intervals: { readonly lastEvictionIntervalMs: number; readonly distinctEvictionIntervalMs: number },
    history: HistoryReader,
  ): void {
    this.#history = history;
    const { lastEvictionIntervalMs, distinctEvictionIntervalMs } = intervals;
    this.#endings.push(timers.every(lastEvictionIntervalMs, () => this.evictLast()));
    this.#endings.push(timers.every(distinctEvictionIntervalMs, () => this.evictDistinct()));
  }

  /** Idempotent. */
  stop(): void {
    for (const end of this.#endings.splice(0)) end();
    this.#history = undefined;
  }

  /** Durable rows of one table, live or replayed. Synchronous; tables without caches cost one look-up. */
  apply(table: TableSchema, section: TableSection, series: SeriesIndex): void {
    if (this.#tables.size === 0) return;
    const caches = this.#tables.get(keyOf(table.databaseId, table.id));
    if (caches === undefined) return;
    for (const { cache } of caches.last.values()) cache.apply(section, series);
    for (const { cache } of caches.distinct.values()) cache.apply(section, series);
  }

  /** What the caches of one kind hold together. */
  totals(kind: 'last' | 'distinct'): CacheTotals {
    let caches = 0;
    let entries = 0;
    let bytes = 0;
    for (const { distinct, last } of this.#tables.values()) {
      for (const { cache } of kind === 'last' ? last.values() : distinct.values()) {
        caches++;
        entries += cache instanceof LastValueCache ? cache.keyCount : cache.size;
        bytes += cache.bytes;
      }
    }
    return { caches, entries, bytes };
  }

  /** Rows of a table were deleted: its caches start anew and are filled from stored data before their next use. */
  refresh(databaseId: DatabaseId, tableId: TableId): void {
    const caches = this.#tables.get(keyOf(databaseId, tableId));
    for (const { table, cache } of [...(caches?.last.values() ?? [])]) this.#addLast(table, cache.definition);
    for (const { table, cache } of [...(caches?.distinct.values() ?? [])]) this.#addDistinct(table, cache.definition);
  }

  /** Every cache starts anew, as `refresh` does for one table: the ids of series mean something else from now on. */
  refreshAll(): void {
    for (const { last, distinct } of [...this.#tables.values()]) {
      const [slot] = [...last.values(), ...distinct.values()];
      if (slot !== undefined) this.refresh(slot.table.databaseId, slot.table.id);
    }
  }

  evictLast(): void {
    for (const { last } of this.#tables.values()) for (const { cache } of last.values()) cache.evict();
  }

  evictDistinct(): void {
    for (const { distinct } of this.#tables.values()) for (const { cache } of distinct.values()) cache.evict();
  }

  /** Resolves when a cache holds what stored data has for it, as far as that can be read in time. */
  async filled(kind: 'last' | 'distinct', table: TableSchema, id: LastCacheId | DistinctCacheId): Promise<void> {
    const caches = this.#tables.get(keyOf(table.databaseId, table.id));
    if (kind === 'last') await this.#fillLast(caches?.last.get(id));
    else await this.#fillDistinct(caches?.distinct.get(id));
  }

  resolve(database: string, name: CacheFunctionName, args: readonly (string | undefined)[]): CacheRelation {
    const [tableName, cacheName] = args;
    if (tableName === undefined) throw planError('first argument must be the table name as a string');
    if (args.length > 1 && cacheName === undefined) throw planError('second argument, if passed, must be the cache name as a string');
    const table = this.#options.catalog.database(database)?.tables.get(tableName);
    return name === 'last_cache' ? this.#lastRelation(table, cacheName) : this.#distinctRelation(table, tableName, cacheName);
  }

  #lastRelation(table: TableSchema | undefined, name: string | undefined): CacheRelation {
    if (table === undefined) throw planError('provided table name is invalid');
    const slot = chosen(this.#tables.get(keyOf(table.databaseId, table.id))?.last, name);
    if (slot === undefined) throw planError('could not find cache for the given arguments');
    const columns = slot.cache.columns();
    return {
      // key tags come out as plain strings
      columns: columns.map((column) => ({ name: column.name, type: column.key && column.type === 'tag' ? 'string' : column.type })),
      rows: async () => {
        await this.#fillLast(slot);
        return slot.cache.rows(columns);
      },
    };
  }

  #distinctRelation(table: TableSchema | undefined, tableName: string, name: string | undefined): CacheRelation {
    if (table === undefined) throw planError(`provided table name (${tableName}) is invalid`);
    const slot = chosen(this.#tables.get(keyOf(table.databaseId, table.id))?.distinct, name);
    if (slot === undefined) throw planError('could not find distinct value cache for the given arguments');
    const columns = slot.cache.columns();
    return {
      columns: columns.map((column) => ({ name: column.name, type: 'string' })),
      rows: async (wanted) => {
        await this.#fillDistinct(slot);
        const depth = columns.reduce((deepest, column, at) => (wanted.has(column.name) ? at + 1 : deepest), 0);
        return slot.cache.rows(depth === 0 ? columns.length : depth);
      },
    };
  }

  async #fillLast(slot: Slot<LastValueCache> | undefined): Promise<void> {
    if (slot !== undefined) await this.#fill(slot, (history) => history.last(slot.table, slot.cache));
  }

  async #fillDistinct(slot: Slot<DistinctValueCache> | undefined): Promise<void> {
    if (slot !== undefined) await this.#fill(slot, (history) => history.distinct(slot.table, slot.cache));
  }

  /** Once per cache and process, before its first use. A cache that cannot be filled works with new rows alone. */
  async #fill(slot: Slot<unknown>, run: (history: HistoryReader) => Promise<void>): Promise<void> {
    const history = this.#history;
    if (history === undefined) return;
    slot.filling ??= run(history).catch((error: unknown) => {
      const fields = { table: slot.table.name, error: error instanceof Error ? error.message : String(error) };
      this.#options.onWarning('a cache could not be filled from stored data', fields);
    });
    await slot.filling;
  }

  #follow(change: CatalogChange): void {
    for (const op of change.ops) {
      switch (op.op) {
        case 'create_last_cache':
        case 'create_distinct_cache': {
          const table = this.#options.catalog.tableById(op.db, op.table);
          if (table === undefined) break;
          if (op.op === 'create_last_cache') this.#addLast(table, op.cache);
          else this.#addDistinct(table, op.cache);
          break;
        }
        case 'drop_last_cache':
          this.#tables.get(keyOf(op.db, op.table))?.last.delete(op.id);
          this.#dropEmpty(op.db, op.table);
          break;
        case 'drop_distinct_cache':
          this.#tables.get(keyOf(op.db, op.table))?.distinct.delete(op.id);
          this.#dropEmpty(op.db, op.table);
          break;
        case 'delete_table':
        case 'drop_table':
          this.#tables.delete(keyOf(op.db, op.table));
          break;
        case 'drop_database':
          for (const key of this.#tables.keys()) if (key.startsWith(`${op.db}/`)) this.#tables.delete(key);
          break;
        default: // other changes do not concern caches
      }
    }
  }

  #addLast(table: TableSchema, definition: LastCacheDefinition): void {
    const { clock } = this.#options;
    const cache = new LastValueCache({ definition, table, clock, onFull: this.#onFull(table, definition.name) });
    this.#of(table).last.set(definition.id, { table, cache, filling: undefined });
  }

  #addDistinct(table: TableSchema, definition: DistinctCacheDefinition): void {
    const { clock } = this.#options;
    const cache = new DistinctValueCache({ definition, table, clock, onFull: this.#onFull(table, definition.name) });
    this.#of(table).distinct.set(definition.id, { table, cache, filling: undefined });
  }

  #of(table: TableSchema): TableCaches {
    const key = keyOf(table.databaseId, table.id);
    const known = this.#tables.get(key) ?? { last: new Map(), distinct: new Map() };
    this.#tables.set(key, known);
    return known;
  }

  #dropEmpty(databaseId: DatabaseId, tableId: TableId): void {
    const key = keyOf(databaseId, tableId);
    const caches = this.#tables.get(key);
    if (caches?.last.size === 0 && caches.distinct.size === 0) this.#tables.delete(key);
  }

  /** Says it once per cache. */
  #onFull(table: TableSchema, name: string): (entries: number) => void {
    let said = false;
    return (entries) => {
      if (said) return;
      said = true;
      this.#options.onWarning('a cache is full: what was written longest ago leaves it', { table: table.name, cache: name, entries });
    };
  }
}

/** The cache of that name; without a name the only one there is. */
function chosen<Cache extends { readonly definition: { readonly name: string } }>(
  slots: ReadonlyMap<number, Slot<Cache>> | undefined,
  name: string | undefined,
): Slot<Cache> | undefined {
  const all = [...(slots?.values() ?? [])];
  if (name === undefined) return all.length === 1 ? all[0] : undefined;
  return all.find((slot) => slot.cache.definition.name === name);
}

function keyOf(databaseId: DatabaseId, tableId: TableId): string {
  return `${databaseId}/${tableId}`;
}
