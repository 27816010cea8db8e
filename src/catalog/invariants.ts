import { assert } from '../shared/assert.ts';
import type { DatabaseId, TableId, TokenId, TriggerId } from '../shared/ids.ts';
import type { MutableDatabase, MutableTable } from './model.ts';
import type { CatalogOp } from './ops.ts';
import type { CatalogState } from './state.ts';

/**
 * Throws when the steps of a change would give two things of a kind one name or one id, or mean something that is not
 * there. Called before the change is made durable: a step that fails when it is applied would fail at every start too.
 */
export function checkSteps(state: CatalogState, ops: readonly CatalogOp[]): void {
  const check = new StepCheck(state);
  for (const op of ops) check.step(op);
}

/** Names by id, over those of the state. */
class Names {
  readonly #kind: string;
  readonly #known: (name: string) => number | undefined;
  readonly #changed = new Map<string, number | undefined>();

  constructor(kind: string, known: (name: string) => number | undefined) {
    this.#kind = kind;
    this.#known = known;
  }

  idOf(name: string): number | undefined {
    return this.#changed.has(name) ? this.#changed.get(name) : this.#known(name);
  }

  take(name: string, id: number): void {
    const holder = this.idOf(name);
    assert(holder === undefined || holder === id, `${this.#kind} id ${id} would get the name of id ${holder}`);
    this.#changed.set(name, id);
  }

  free(name: string): void {
    this.#changed.set(name, undefined);
  }
}

/** A database or table as the steps before leave it. */
interface Staged {
  readonly id: number;
  name: string;
}

interface StagedDatabase extends Staged {
  readonly committed: MutableDatabase | undefined;
  readonly tables: Names;
  readonly tableById: Map<TableId, StagedTable>;
  nextTableId: TableId;
}

interface StagedTable extends Staged {
  readonly committed: MutableTable | undefined;
  readonly columns: Set<string>;
}

class StepCheck {
  readonly #state: CatalogState;
  readonly #databases: Names;
  readonly #databaseById = new Map<number, StagedDatabase>();
  #nextDatabaseId: number;

  constructor(state: CatalogState) {
    this.#state = state;
    this.#databases = new Names('database', (name) => state.databases.get(name)?.id);
    this.#nextDatabaseId = state.nextDatabaseId;
  }

  step(op: CatalogOp): void {
    switch (op.op) {
      case 'create_database':
        assert(op.id >= this.#nextDatabaseId, `database id ${op.id} was given out before`);
        this.#nextDatabaseId = op.id + 1;
        this.#databases.take(op.name, op.id);
        this.#databaseById.set(op.id, stagedDatabase(op.id, op.name, undefined));
        return;
      case 'delete_database':
      case 'undelete_database':
        renameIn(this.#databases, this.#database(op.db), op.newName);
        return;
      case 'create_table': {
        const database = this.#database(op.db);
        assert(op.id >= database.nextTableId, `table id ${op.id} of database id ${op.db} was given out before`);
        database.nextTableId = op.id + 1;
        database.tables.take(op.name, op.id);
        database.tableById.set(op.id, { id: op.id, name: op.name, committed: undefined, columns: new Set() });
        return;
      }
      case 'delete_table':
      case 'undelete_table':
        renameIn(this.#database(op.db).tables, this.#table(op.db, op.table), op.newName);
        return;
      case 'add_columns':
        checkColumns(this.#table(op.db, op.table), op.columns);
        return;
      case 'put_trigger':
        checkTrigger(this.#database(op.db).committed, op.trigger.name, op.trigger.id);
        return;
      case 'put_token':
      case 'put_resource_token':
        checkToken(this.#state, op.token.name, op.token.id, op.token.hash);
        return;
      case 'create_last_cache':
        checkCache(this.#table(op.db, op.table).committed?.lastCaches, op.cache.name, op.cache.id);
        return;
      case 'create_distinct_cache':
        checkCache(this.#table(op.db, op.table).committed?.distinctCaches, op.cache.name, op.cache.id);
        return;
      default: // the other steps name nothing and change nothing but what is there
        if ('table' in op) this.#table(op.db, op.table);
        else if ('db' in op) this.#database(op.db);
    }
  }

  #database(id: DatabaseId): StagedDatabase {
    let staged = this.#databaseById.get(id);
    if (staged === undefined) {
      const committed = this.#state.databaseById.get(id);
      assert(committed !== undefined, `catalog step for unknown database id ${id}`);
      staged = stagedDatabase(id, committed.name, committed);
      this.#databaseById.set(id, staged);
    }
    return staged;
  }

  #table(databaseId: DatabaseId, id: TableId): StagedTable {
    const database = this.#database(databaseId);
    let staged = database.tableById.get(id);
    if (staged === undefined) {
      const committed = database.committed?.tableById.get(id);
      assert(committed !== undefined, `catalog step for unknown table id ${id} of database id ${databaseId}`);
      staged = { id, name: committed.name, committed, columns: new Set() };
      database.tableById.set(id, staged);
    }
    return staged;
  }
}

function stagedDatabase(id: DatabaseId, name: string, committed: MutableDatabase | undefined): StagedDatabase {
  const tables = new Names(`table of database id ${id}`, (table) => committed?.tables.get(table)?.id);
  return { id, name, committed, tables, tableById: new Map(), nextTableId: committed?.nextTableId ?? 0 };
}

function renameIn(names: Names, item: Staged, newName: string): void {
  if (item.name === newName) return;
  names.free(item.name);
  names.take(newName, item.id);
  item.name = newName;
}

function checkColumns(table: StagedTable, columns: readonly (readonly [name: string, type: string])[]): void {
  for (const [name] of columns) {
    assert(table.committed?.columnByName.has(name) !== true && !table.columns.has(name), `column '${name}' is added twice`);
    table.columns.add(name);
  }
}

/** A trigger is put under its own name again when it changes. */
function checkTrigger(database: MutableDatabase | undefined, name: string, id: TriggerId): void {
  for (const trigger of database?.triggers.values() ?? []) {
    assert((trigger.id === id) === (trigger.name === name), `trigger id ${id} and its name belong together`);
  }
}

function checkToken(state: CatalogState, name: string, id: TokenId, hash: string): void {
  const known = state.tokens.get(name);
  assert(known === undefined || known.id === id, `token id ${id} would get the name of another`);
  const holder = state.tokenByHash.get(hash);
  assert(holder === undefined || holder.name === name, `token id ${id} would get the hash of another`);
}

function checkCache(
  caches: ReadonlyMap<string, { readonly id: number; readonly name: string }> | undefined,
  name: string,
  id: number,
): void {
  for (const cache of caches?.values() ?? []) assert(cache.id !== id && cache.name !== name, `cache id ${id} would stand for two caches`);
}
