import { assert } from '../shared/assert.ts';
import type { Clock } from '../shared/clock.ts';
import type { DatabaseId, TableId } from '../shared/ids.ts';
import type { Log } from '../shared/logger.ts';
import { WEEK_NS } from '../shared/time-units.ts';
import type { ObjectStore } from '../storage/index.ts';
import { CatalogStore, type LoadedCatalog, type SharedCatalog } from './catalog-store.ts';
import { CommitQueue } from './commit-queue.ts';
import type { DistinctCacheDefinition, LastCacheDefinition, NodeRecord, TokenRecord, TriggerDefinition } from './definitions.ts';
import { databaseLimitExceeded, writeToDeletedDatabase } from './errors.ts';
import { type CatalogLimits, defaultCatalogLimits } from './limits.ts';
import { INTERNAL_DATABASE, validateDatabaseName } from './names.ts';
import type { CatalogChange } from './ops.ts';
import * as caches from './plan-caches.ts';
import * as databases from './plan-databases.ts';
import * as nodes from './plan-nodes.ts';
import * as tokens from './plan-tokens.ts';
import * as triggers from './plan-triggers.ts';
import { planUndeleteDatabase, planUndeleteTable } from './plan-undelete.ts';
import type { DatabaseSchema, SchemaTransaction, TableSchema } from './schema.ts';
import type { CatalogState } from './state.ts';
import { StagedSchema } from './transaction.ts';

export interface CatalogOptions {
  readonly objects: ObjectStore;
  readonly clock: Clock;
  /** UUIDv4 maker (`crypto.randomUUID`). */
  readonly randomUuid: () => string;
  readonly log: Log;
  readonly limits?: CatalogLimits;
  /** Changes after which the snapshot is rewritten; 100 by default. */
  readonly changesPerSnapshot?: number;
  /** Number of a change that something else on disk knows: without it the end of the catalog is missing. */
  readonly knownSequence?: number;
  /** Other processes can reach the objects: who changes the catalog after this one has taken it over ends it. */
  readonly shared?: SharedCatalog | undefined;
}

/** How long a change in a shared store is waited for. */
const ANSWER_TIME_MAX_MS = 10_000;

const INTERNAL_RETENTION_NS = WEEK_NS;
const CHANGES_PER_SNAPSHOT = 100;

/**
 * What exists: databases, tables, columns, caches, triggers, tokens, nodes. Reading is synchronous and from memory;
 * every change is durable before it is visible. Methods that change throw `InfluxError` with the texts that clients see (docs/errors.md).
 */
export class Catalog {
  /** Cluster UUID, made at the first start. */
  readonly uuid: string;
  /** Catalog files that could not be used at start and were renamed. */
  readonly movedAside: readonly string[];
  readonly #state: CatalogState;
  readonly #queue: CommitQueue;
  readonly #clock: Clock;
  readonly #limits: CatalogLimits;
  readonly #randomUuid: () => string;

  /** Reads the catalog, or creates it with `_internal`. Throws `StorageStartupError` when it cannot be trusted. */
  static async open(options: CatalogOptions): Promise<Catalog> {
    const store = new CatalogStore(options.objects, options.log, options.shared);
    const loaded = await store.load(options.knownSequence ?? 0);
    const catalog = new Catalog(options, store, loaded);
    if (loaded.uuid === undefined) await catalog.#createInternal();
    return catalog;
  }

  private constructor(options: CatalogOptions, store: CatalogStore, loaded: LoadedCatalog) {
    this.uuid = loaded.uuid ?? options.randomUuid();
    this.movedAside = loaded.movedAside;
    this.#state = loaded.state;
    this.#clock = options.clock;
    this.#limits = options.limits ?? defaultCatalogLimits;
    this.#randomUuid = options.randomUuid;
    this.#queue = new CommitQueue({
      store,
      loaded,
      uuid: this.uuid,
      limits: this.#limits,
      clock: options.clock,
      log: options.log,
      changesPerSnapshot: options.changesPerSnapshot ?? CHANGES_PER_SNAPSHOT,
      answerTime: options.shared && { maxMs: ANSWER_TIME_MAX_MS, timers: options.shared.timers },
    });
  }

  /** Number of the last change. */
  get sequence(): number {
    return this.#queue.sequence;
  }

  /** Called after each change was applied. Returns the function that ends it. */
  onChange(listener: (change: CatalogChange) => void): () => void {
    return this.#queue.onChange(listener);
  }

  /** The state of one moment, at which `capture` runs, as the content of `CATALOG_SNAPSHOT_KEY`. Changes wait until it is made. */
  moment<T>(capture: (sequence: number) => T): Promise<{ readonly captured: T; readonly snapshot: Uint8Array }> {
    return this.#queue.moment(capture);
  }

  /** Waits for running changes, then refuses new ones. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  // --- reading ---

  /** By creation, `_internal` first, soft-deleted ones included. */
  databases(): Iterable<DatabaseSchema> {
    return this.#state.databases.values();
  }

  database(name: string): DatabaseSchema | undefined {
    return this.#state.databases.get(name);
  }

  databaseById(id: DatabaseId): DatabaseSchema | undefined {
    return this.#state.databaseById.get(id);
  }

  tableById(databaseId: DatabaseId, id: TableId): TableSchema | undefined {
    return this.#state.databaseById.get(databaseId)?.tableById.get(id);
  }

  /**
   * Whether the ids were ever given out, also to something that is gone. If not, changes at the end of the catalog are lost:
   * rows of theirs must not be taken for those of a table that gets the id next.
   */
  gaveOut(databaseId: DatabaseId, tableId: TableId): boolean {
    const database = this.#state.databaseById.get(databaseId);
    return database === undefined ? databaseId < this.#state.nextDatabaseId : tableId < database.nextTableId;
  }

  /** By creation. */
  lastCaches(table: TableSchema): Iterable<LastCacheDefinition> {
    return this.#state.databaseById.get(table.databaseId)?.tableById.get(table.id)?.lastCaches.values() ?? [];
  }

  /** By creation. */
  distinctCaches(table: TableSchema): Iterable<DistinctCacheDefinition> {
    return this.#state.databaseById.get(table.databaseId)?.tableById.get(table.id)?.distinctCaches.values() ?? [];
  }

  /** By creation. */
  triggers(database: DatabaseSchema): Iterable<TriggerDefinition> {
    return this.#state.databaseById.get(database.id)?.triggers.values() ?? [];
  }

  triggerCounts(): triggers.TriggerCounts {
    return triggers.countTriggers(this.#state);
  }

  /** By id. */
  tokens(): readonly TokenRecord[] {
    return [...this.#state.tokens.values()].sort((a, b) => a.id - b.id);
  }

  /** `hash` = SHA-512 as 128 lower-case hex digits. */
  tokenByHash(hash: string): TokenRecord | undefined {
    return this.#state.tokenByHash.get(hash);
  }

  /** Whether the first token, which may do everything, was made. */
  hasOperatorToken(): boolean {
    return this.#state.tokens.has(tokens.OPERATOR_TOKEN);
  }

  nodes(): Iterable<NodeRecord> {
    return this.#state.nodes.values();
  }

  /** Undefined until `ensureGen1Duration`. */
  get gen1DurationSecs(): number | undefined {
    return this.#state.gen1DurationSecs;
  }

  // --- writes ---

  /** Begins the schema part of a write. Throws for a soft-deleted database, a new one over the limit, or with a bad name. */
  beginWrite(databaseName: string): SchemaTransaction {
    const database = this.#state.databases.get(databaseName);
    if (database === undefined) {
      validateDatabaseName(databaseName);
      if (this.#state.liveDatabaseCount >= this.#limits.maxDatabases) throw databaseLimitExceeded(this.#limits.maxDatabases);
    } else if (database.deleted) {
      throw writeToDeletedDatabase(databaseName);
    }
    return new StagedSchema(databaseName, database, this.#state.liveTableCount, this.#limits);
  }

  /**
   * Makes the additions durable and visible. `conflict` = they no longer fit what others did since `beginWrite`:
   * begin again. Adding the same columns as another write at the same time is no conflict.
   */
  async commit(transaction: SchemaTransaction): Promise<'committed' | 'conflict'> {
    assert(transaction instanceof StagedSchema, 'transaction was not begun by a catalog');
    return transaction.changed ? this.#queue.commitSchema(transaction) : 'committed';
  }

  // --- databases and tables ---

  createDatabase(name: string, options: { readonly retentionNs?: bigint | undefined } = {}): Promise<DatabaseSchema> {
    return this.#queue.change((state) => databases.planCreateDatabase(state, this.#limits, name, options.retentionNs));
  }

  /** Creates the database too when it is missing. */
  createTable(databaseName: string, name: string, definition: databases.TableDefinition): Promise<TableSchema> {
    return this.#queue.change((state) => databases.planCreateTable(state, this.#limits, databaseName, name, definition));
  }

  /** Undefined = kept for ever. */
  setRetention(databaseName: string, retentionNs: bigint | undefined): Promise<void> {
    return this.#queue.change((state) => databases.planSetRetention(state, databaseName, retentionNs));
  }

  /** Where rows go that name no retention policy; undefined = to the database itself. The policy must be there. */
  setDefaultPolicy(databaseName: string, policy: string | undefined): Promise<void> {
    return this.#queue.change((state) => databases.planSetDefaultPolicy(state, databaseName, policy));
  }

  /** What a v1 client says about shards and replicas of the retention policy that the database is; shown, without effect. */
  setPolicyShards(databaseName: string, shards: databases.PolicyShards): Promise<void> {
    return this.#queue.change((state) => databases.planSetPolicyShards(state, databaseName, shards));
  }

  /** Undefined = as the database. */
  setTableRetention(databaseName: string, tableName: string, retentionNs: bigint | undefined): Promise<void> {
    return this.#queue.change((state) => databases.planSetTableRetention(state, databaseName, tableName, retentionNs));
  }

  /** Renames and marks it with all its tables; its name is free at once. */
  softDeleteDatabase(name: string, hardDelete: databases.HardDelete): Promise<DatabaseSchema> {
    return this.#queue.change((state) => databases.planDeleteDatabase(state, name, hardDelete, this.#clock.nowNs()));
  }

  softDeleteTable(databaseName: string, name: string, hardDelete: databases.HardDelete): Promise<TableSchema> {
    return this.#queue.change((state) => databases.planDeleteTable(state, databaseName, name, hardDelete, this.#clock.nowNs()));
  }

  /** Takes a soft delete back, as long as the data is there. `newName` undefined = the name before the delete. */
  undeleteDatabase(name: string, newName: string | undefined): Promise<DatabaseSchema> {
    return this.#queue.change((state) => planUndeleteDatabase(state, this.#limits, name, newName, this.#clock.nowNs()));
  }

  undeleteTable(target: { readonly database: string; readonly table: string; readonly newName: string | undefined }): Promise<TableSchema> {
    return this.#queue.change((state) => planUndeleteTable(state, this.#limits, target, this.#clock.nowNs()));
  }

  /** Takes it out of the catalog; its data must be gone. */
  dropDatabase(id: DatabaseId): Promise<void> {
    return this.#queue.change((state) => databases.planDropDatabase(state, id));
  }

  /** Takes it out of the catalog; its data must be gone. */
  dropTable(databaseId: DatabaseId, id: TableId): Promise<void> {
    return this.#queue.change((state) => databases.planDropTable(state, databaseId, id));
  }

  // --- caches ---

  createLastCache(databaseName: string, tableName: string, request: caches.NewLastCache): Promise<LastCacheDefinition> {
    return this.#queue.change((state) => caches.planCreateLastCache(state, databaseName, tableName, request));
  }

  deleteLastCache(databaseName: string, tableName: string, name: string): Promise<void> {
    return this.#queue.change((state) => caches.planDeleteLastCache(state, databaseName, tableName, name));
  }

  createDistinctCache(databaseName: string, tableName: string, request: caches.NewDistinctCache): Promise<DistinctCacheDefinition> {
    return this.#queue.change((state) => caches.planCreateDistinctCache(state, databaseName, tableName, request));
  }

  deleteDistinctCache(databaseName: string, tableName: string, name: string): Promise<void> {
    return this.#queue.change((state) => caches.planDeleteDistinctCache(state, databaseName, tableName, name));
  }

  // --- triggers ---

  createTrigger(databaseName: string, request: triggers.NewTrigger): Promise<TriggerDefinition> {
    return this.#queue.change((state) => triggers.planCreateTrigger(state, databaseName, request));
  }

  deleteTrigger(databaseName: string, name: string, options: { readonly force: boolean }): Promise<void> {
    return this.#queue.change((state) => triggers.planDeleteTrigger(state, databaseName, name, options.force));
  }

  enableTrigger(databaseName: string, name: string): Promise<TriggerDefinition> {
    return this.#queue.change((state) => triggers.planSetTriggerDisabled(state, databaseName, name, false));
  }

  disableTrigger(databaseName: string, name: string): Promise<TriggerDefinition> {
    return this.#queue.change((state) => triggers.planSetTriggerDisabled(state, databaseName, name, true));
  }

  // --- tokens ---

  createToken(request: tokens.NewToken): Promise<TokenRecord> {
    return this.#queue.change((state) => tokens.planCreateToken(state, request, this.#clock.nowMs()));
  }

  regenerateOperatorToken(hash: string): Promise<TokenRecord> {
    return this.#queue.change((state) => tokens.planRegenerateOperatorToken(state, hash, this.#clock.nowMs()));
  }

  deleteToken(name: string): Promise<void> {
    return this.#queue.change((state) => tokens.planDeleteToken(state, name));
  }

  // --- node ---

  /** At every start. Keeps the instance id of the first one. */
  registerNode(registration: nodes.NodeRegistration): Promise<NodeRecord> {
    return this.#queue.change((state) => nodes.planRegisterNode(state, registration, this.#randomUuid(), this.#clock.nowMs()));
  }

  /** At a graceful stop. */
  stopNode(nodeId: string): Promise<NodeRecord> {
    return this.#queue.change((state) => nodes.planStopNode(state, nodeId, this.#clock.nowMs()));
  }

  /** Stores the duration at the first start. Returns the stored one: warn when it differs. */
  ensureGen1Duration(secs: number): Promise<number> {
    return this.#queue.change((state) => nodes.planGen1Duration(state, secs));
  }

  #createInternal(): Promise<void> {
    const retentionNs = INTERNAL_RETENTION_NS.toString();
    return this.#queue.change(() => ({
      ops: [{ op: 'create_database', id: 0, name: INTERNAL_DATABASE, retentionNs }],
      result: () => undefined,
    }));
  }
}
