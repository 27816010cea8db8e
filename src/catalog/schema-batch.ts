import { SchemaError } from './errors.ts';
import type { CatalogLimits } from './limits.ts';
import type { CatalogOp } from './ops.ts';
import type { CatalogState } from './state.ts';
import { StagedSchema, type TableOverlay } from './transaction.ts';

/**
 * Transactions of many writes on their way into one change. Each is laid anew over the present catalog and over those
 * merged before it, so writers that add the same columns at the same time do not disturb each other.
 */
export class SchemaBatch {
  readonly #state: CatalogState;
  readonly #limits: CatalogLimits;
  readonly #staged = new Map<string, StagedSchema>();

  constructor(state: CatalogState, limits: CatalogLimits) {
    this.#state = state;
    this.#limits = limits;
  }

  /** Takes all additions of a transaction, or none (`conflict`) when they no longer fit: its writer must look again. */
  merge(transaction: StagedSchema): 'merged' | 'conflict' {
    const name = transaction.databaseName;
    const database = this.#state.databases.get(name);
    if (database?.deleted === true) return 'conflict';
    if (transaction.committed !== undefined && transaction.committed !== database) return 'conflict';
    const target = this.#staged.get(name) ?? new StagedSchema(name, database, 0, { ...this.#limits, maxTables: Number.MAX_SAFE_INTEGER });
    const additions = [...transaction.additions()];
    if (!this.#hasRoom(target, additions)) return 'conflict';
    for (const addition of additions) {
      if (!this.#fits(target, addition)) return 'conflict';
    }
    for (const addition of additions) target.stage({ tableName: addition.name, newColumns: columnsOf(addition) });
    this.#staged.set(name, target);
    return 'merged';
  }

  /** Steps for everything merged. Empty when others had already added all of it. */
  ops(): CatalogOp[] {
    const ops: CatalogOp[] = [];
    let databaseId = this.#state.nextDatabaseId;
    for (const staged of this.#staged.values()) {
      if (staged.committed === undefined) ops.push({ op: 'create_database', id: databaseId, name: staged.databaseName });
      const db = staged.committed?.id ?? databaseId++;
      let tableId = staged.committed?.nextTableId ?? 0;
      for (const addition of staged.additions()) {
        if (addition.committed === undefined) ops.push({ op: 'create_table', db, id: tableId, name: addition.name });
        const table = addition.committed?.id ?? tableId++;
        ops.push({ op: 'add_columns', db, table, columns: addition.added });
      }
    }
    return ops;
  }

  #hasRoom(target: StagedSchema, additions: readonly TableOverlay[]): boolean {
    let tables = this.#state.liveTableCount;
    let databases = this.#state.liveDatabaseCount;
    for (const staged of this.#staged.values()) {
      tables += staged.newTableCount;
      if (staged.committed === undefined) databases++;
    }
    const newTables = additions.filter((addition) => target.table(addition.name) === undefined).length;
    if (newTables > 0 && tables + newTables > this.#limits.maxTables) return false;
    const newDatabase = target.committed === undefined && !this.#staged.has(target.databaseName);
    return !newDatabase || databases < this.#limits.maxDatabases;
  }

  #fits(target: StagedSchema, addition: TableOverlay): boolean {
    const overlay = target.table(addition.name) as TableOverlay | undefined;
    if (addition.committed !== undefined && overlay?.committed !== addition.committed) return false;
    if (overlay === undefined) return true;
    try {
      overlay.check(columnsOf(addition), this.#limits.maxColumnsPerTable);
      return true;
    } catch (error) {
      if (error instanceof SchemaError) return false;
      throw error;
    }
  }
}

function columnsOf(addition: TableOverlay): { name: string; type: TableOverlay['added'][number][1] }[] {
  return addition.added.map(([name, type]) => ({ name, type }));
}
