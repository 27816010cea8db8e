import { assert, unreachable } from '../shared/assert.ts';
import type { DatabaseId, NodeNumber, TableId, TokenId } from '../shared/ids.ts';
import type { NodeRecord, TokenRecord } from './definitions.ts';
import { MutableDatabase, MutableTable, rename } from './model.ts';
import { INTERNAL_DATABASE } from './names.ts';
import type { CatalogOp } from './ops.ts';

/** Everything the catalog holds, in memory. Changed only by `apply`, which cannot fail for steps that were planned on it. */
export class CatalogState {
  /** By creation. */
  readonly databases = new Map<string, MutableDatabase>();
  readonly databaseById = new Map<number, MutableDatabase>();
  readonly tokens = new Map<string, TokenRecord>();
  readonly tokenByHash = new Map<string, TokenRecord>();
  readonly nodes = new Map<string, NodeRecord>();
  nextDatabaseId: DatabaseId = 0;
  nextNodeId: NodeNumber = 0;
  /** 0 is kept for the operator token. */
  nextTokenId: TokenId = 1;
  gen1DurationSecs: number | undefined = undefined;
  /** Databases that count against the limit. */
  liveDatabaseCount = 0;
  /** Tables of those databases. */
  liveTableCount = 0;
  /** Databases and tables that got another name because two had the same in a log of an earlier version, as `<old> -> <new>`. */
  readonly renamedApart: string[] = [];

  apply(op: CatalogOp): void {
    this.#apply(op);
    if ('db' in op) assertIndexed(this, op.db);
  }

  #apply(op: CatalogOp): void {
    switch (op.op) {
      case 'set_gen1_duration':
        this.gen1DurationSecs = op.secs;
        return;
      case 'put_node':
        this.nodes.set(op.node.nodeId, op.node);
        this.nextNodeId = Math.max(this.nextNodeId, op.node.id + 1);
        return;
      case 'put_token':
        this.#putToken(op.token);
        return;
      case 'put_resource_token':
        assert(Array.isArray(op.token.permissions), `token '${op.token.name}' has no permissions`);
        this.#putToken(op.token);
        return;
      case 'drop_token':
        this.#dropToken(op.id);
        return;
      case 'create_database':
        this.#createDatabase(op.id, op.name, optionalNs(op.retentionNs));
        return;
      case 'set_database_retention':
        this.database(op.db).retentionPeriodNs = optionalNs(op.retentionNs);
        return;
      case 'set_default_policy':
        this.database(op.db).defaultPolicy = op.policy;
        return;
      case 'set_policy_shards':
        this.database(op.db).shardDurationNs = optionalNs(op.shardDurationNs);
        this.database(op.db).replicas = op.replicas;
        return;
      case 'delete_database':
        this.#deleteDatabase(this.database(op.db), op.newName, optionalNs(op.hardDeleteNs));
        return;
      case 'undelete_database':
        this.#undeleteDatabase(this.database(op.db), op.newName);
        return;
      case 'drop_database':
        this.#dropDatabase(this.database(op.db));
        return;
      default:
        this.#applyInDatabase(op);
    }
  }

  /** The database of a planned step. */
  database(id: DatabaseId): MutableDatabase {
    const database = this.databaseById.get(id);
    assert(database !== undefined, `catalog step for unknown database id ${id}`);
    return database;
  }

  table(databaseId: DatabaseId, id: TableId): MutableTable {
    const table = this.database(databaseId).tableById.get(id);
    assert(table !== undefined, `catalog step for unknown table id ${id} of database id ${databaseId}`);
    return table;
  }

  /** Also used while a snapshot is loaded. */
  addDatabase(database: MutableDatabase): void {
    assert(!this.databases.has(database.name) && !this.databaseById.has(database.id), `database '${database.name}' is added twice`);
    this.databases.set(database.name, database);
    this.databaseById.set(database.id, database);
    this.nextDatabaseId = Math.max(this.nextDatabaseId, database.id + 1);
  }

  recount(): void {
    this.liveDatabaseCount = 0;
    this.liveTableCount = 0;
    for (const database of this.databases.values()) {
      if (database.deleted || database.name === INTERNAL_DATABASE) continue;
      this.liveDatabaseCount++;
      this.liveTableCount += database.liveTableCount;
    }
  }

  #applyInDatabase(op: InDatabaseOp): void {
    switch (op.op) {
      case 'create_table':
        this.database(op.db).addTable(new MutableTable(op.id, op.db, op.name));
        this.recount();
        return;
      case 'add_columns':
        this.table(op.db, op.table).addColumns(op.columns);
        return;
      case 'set_table_retention':
        this.table(op.db, op.table).retentionPeriodNs = optionalNs(op.retentionNs);
        return;
      case 'delete_table':
        this.#deleteTable(this.database(op.db), this.table(op.db, op.table), op);
        this.recount();
        return;
      case 'undelete_table':
        this.#undeleteTable(this.database(op.db), this.table(op.db, op.table), op.newName);
        this.recount();
        return;
      case 'drop_table':
        this.database(op.db).removeTable(this.table(op.db, op.table));
        this.recount();
        return;
      case 'put_trigger': {
        const database = this.database(op.db);
        database.triggers.set(op.trigger.name, op.trigger);
        database.nextTriggerId = Math.max(database.nextTriggerId, op.trigger.id + 1);
        return;
      }
      case 'drop_trigger':
        removeById(this.database(op.db).triggers, op.id);
        return;
      case 'create_last_cache':
      case 'drop_last_cache':
      case 'create_distinct_cache':
      case 'drop_distinct_cache':
        applyCacheStep(this.table(op.db, op.table), op);
        return;
      default:
        unreachable(op);
    }
  }

  #createDatabase(id: DatabaseId, name: string, retentionNs: bigint | undefined): void {
    const database = new MutableDatabase(id, name);
    database.retentionPeriodNs = retentionNs;
    this.addDatabase(database);
    this.recount();
  }

  #deleteDatabase(database: MutableDatabase, newName: string, hardDeleteNs: bigint | undefined): void {
    if (!database.deleted) database.nameBefore = database.name;
    database.deleted = true;
    database.hardDeleteTimeNs = hardDeleteNs;
    if (database.name !== newName) this.#renameDatabase(database, newName);
    this.recount();
  }

  #deleteTable(database: MutableDatabase, table: MutableTable, op: Extract<CatalogOp, { op: 'delete_table' }>): void {
    if (!table.deleted) {
      database.liveTableCount--;
      table.nameBefore = table.name;
      table.deletedWithDatabase = op.withDatabase;
    }
    table.deleted = true;
    table.hardDeleteTimeNs = optionalNs(op.hardDeleteNs);
    table.lastCaches.clear();
    table.distinctCaches.clear();
    this.#renameTable(database, table, op.newName);
  }

  #undeleteDatabase(database: MutableDatabase, newName: string): void {
    database.deleted = false;
    database.hardDeleteTimeNs = undefined;
    database.nameBefore = undefined;
    // Those that stay deleted now do so for themselves. The steps that bring the others back follow.
    for (const table of database.tables.values()) if (table.deletedWithDatabase === true) table.deletedWithDatabase = false;
    if (database.name !== newName) this.#renameDatabase(database, newName);
    this.recount();
  }

  #undeleteTable(database: MutableDatabase, table: MutableTable, newName: string): void {
    if (table.deleted) database.liveTableCount++;
    table.deleted = false;
    table.hardDeleteTimeNs = undefined;
    table.nameBefore = undefined;
    table.deletedWithDatabase = undefined;
    this.#renameTable(database, table, newName);
  }

  #renameDatabase(database: MutableDatabase, newName: string): void {
    const moved = rename(this.databases, this.databaseById.values(), database, newName);
    if (moved !== undefined) this.renamedApart.push(`${newName} -> ${moved.name}`);
  }

  #renameTable(database: MutableDatabase, table: MutableTable, newName: string): void {
    if (table.name === newName) return;
    const moved = database.renameTable(table, newName);
    if (moved !== undefined) this.renamedApart.push(`${newName} -> ${moved.name}`);
  }

  #dropDatabase(database: MutableDatabase): void {
    this.databases.delete(database.name);
    this.databaseById.delete(database.id);
    this.recount();
  }

  #putToken(token: TokenRecord): void {
    const before = this.tokens.get(token.name);
    if (before !== undefined) this.tokenByHash.delete(before.hash);
    this.tokens.set(token.name, token);
    this.tokenByHash.set(token.hash, token);
    this.nextTokenId = Math.max(this.nextTokenId, token.id + 1);
  }

  #dropToken(id: TokenId): void {
    for (const token of this.tokens.values()) {
      if (token.id !== id) continue;
      this.tokens.delete(token.name);
      this.tokenByHash.delete(token.hash);
      return;
    }
  }
}

/** Nothing may be reachable by id only, or by name only. Throws when it is: what comes next could lose it. */
function assertIndexed(state: CatalogState, databaseId: DatabaseId): void {
  assert(state.databases.size === state.databaseById.size, 'every database has one name and one id');
  const database = state.databaseById.get(databaseId);
  if (database === undefined) return;
  assert(state.databases.get(database.name) === database, `database id ${databaseId} is found by its name`);
  assert(database.tables.size === database.tableById.size, `every table of database id ${databaseId} has one name and one id`);
}

/** Nanoseconds as steps and snapshots carry them. */
export function optionalNs(text: string | undefined): bigint | undefined {
  return text === undefined ? undefined : BigInt(text);
}

type InDatabaseOp = Exclude<
  Extract<CatalogOp, { db: DatabaseId }>,
  { op: 'set_database_retention' | 'set_default_policy' | 'set_policy_shards' | 'delete_database' | 'undelete_database' | 'drop_database' }
>;

type CacheOp = Extract<CatalogOp, { op: 'create_last_cache' | 'drop_last_cache' | 'create_distinct_cache' | 'drop_distinct_cache' }>;

function applyCacheStep(table: MutableTable, op: CacheOp): void {
  switch (op.op) {
    case 'create_last_cache':
      table.lastCaches.set(op.cache.name, op.cache);
      table.nextLastCacheId = Math.max(table.nextLastCacheId, op.cache.id + 1);
      return;
    case 'drop_last_cache':
      removeById(table.lastCaches, op.id);
      return;
    case 'create_distinct_cache':
      table.distinctCaches.set(op.cache.name, op.cache);
      table.nextDistinctCacheId = Math.max(table.nextDistinctCacheId, op.cache.id + 1);
      return;
    case 'drop_distinct_cache':
      removeById(table.distinctCaches, op.id);
      return;
    default:
      unreachable(op);
  }
}

function removeById<T extends { readonly id: number; readonly name: string }>(index: Map<string, T>, id: number): void {
  for (const item of index.values()) {
    if (item.id === id) {
      index.delete(item.name);
      return;
    }
  }
}
