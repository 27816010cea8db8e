import { assert, unreachable } from '../shared/assert.ts';
import type { NodeRecord, TokenRecord } from './definitions.ts';
import { MutableDatabase, MutableTable, rekey } from './model.ts';
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
  nextDatabaseId = 0;
  nextNodeId = 0;
  /** 0 is kept for the operator token. */
  nextTokenId = 1;
  gen1DurationSecs: number | undefined = undefined;
  /** Databases that count against the limit. */
  liveDatabaseCount = 0;
  /** Tables of those databases. */
  liveTableCount = 0;

  apply(op: CatalogOp): void {
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
      case 'drop_token':
        this.#dropToken(op.id);
        return;
      case 'create_database':
        this.#createDatabase(op.id, op.name, optionalNs(op.retentionNs));
        return;
      case 'set_database_retention':
        this.database(op.db).retentionPeriodNs = optionalNs(op.retentionNs);
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
  database(id: number): MutableDatabase {
    const database = this.databaseById.get(id);
    assert(database !== undefined, `catalog step for unknown database id ${id}`);
    return database;
  }

  table(databaseId: number, id: number): MutableTable {
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
        this.#deleteTable(this.database(op.db), this.table(op.db, op.table), op.newName, optionalNs(op.hardDeleteNs));
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

  #createDatabase(id: number, name: string, retentionNs: bigint | undefined): void {
    const database = new MutableDatabase(id, name);
    database.retentionPeriodNs = retentionNs;
    this.addDatabase(database);
    this.recount();
  }

  #deleteDatabase(database: MutableDatabase, newName: string, hardDeleteNs: bigint | undefined): void {
    database.deleted = true;
    database.hardDeleteTimeNs = hardDeleteNs;
    this.recount();
    if (database.name === newName) return;
    database.name = newName;
    rekey(this.databases, this.databaseById.values());
  }

  #deleteTable(database: MutableDatabase, table: MutableTable, newName: string, hardDeleteNs: bigint | undefined): void {
    if (!table.deleted) database.liveTableCount--;
    table.deleted = true;
    table.hardDeleteTimeNs = hardDeleteNs;
    table.lastCaches.clear();
    table.distinctCaches.clear();
    if (table.name !== newName) database.renameTable(table, newName);
  }

  #undeleteDatabase(database: MutableDatabase, newName: string): void {
    database.deleted = false;
    database.hardDeleteTimeNs = undefined;
    database.name = newName;
    rekey(this.databases, this.databaseById.values());
    this.recount();
  }

  #undeleteTable(database: MutableDatabase, table: MutableTable, newName: string): void {
    if (table.deleted) database.liveTableCount++;
    table.deleted = false;
    table.hardDeleteTimeNs = undefined;
    if (table.name !== newName) database.renameTable(table, newName);
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

  #dropToken(id: number): void {
    for (const token of this.tokens.values()) {
      if (token.id !== id) continue;
      this.tokens.delete(token.name);
      this.tokenByHash.delete(token.hash);
      return;
    }
  }
}

/** Nanoseconds as steps and snapshots carry them. */
export function optionalNs(text: string | undefined): bigint | undefined {
  return text === undefined ? undefined : BigInt(text);
}

type InDatabaseOp = Exclude<
  Extract<CatalogOp, { db: number }>,
  { op: 'set_database_retention' | 'delete_database' | 'undelete_database' | 'drop_database' }
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
