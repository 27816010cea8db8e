import { assert } from '../shared/assert.ts';
import type { ColumnType } from '../shared/column-type.ts';
import { columnLimitExceeded, columnTypeConflict, reservedColumn, tableLimitExceeded } from './errors.ts';
import type { CatalogLimits } from './limits.ts';
import type { MutableDatabase, MutableTable } from './model.ts';
import type { ColumnEntry } from './ops.ts';
import type { DatabaseSchema, SchemaAddition, SchemaTransaction, StagedTable } from './schema.ts';

/** Always the name of the time column. */
const TIME = 'time';
const CHUNK_ORDER = '__chunk_order';

/** Schema additions of one write over one database; see `SchemaTransaction`. Never changes the catalog itself. */
export class StagedSchema implements SchemaTransaction {
  readonly databaseName: string;
  readonly committed: MutableDatabase | undefined;
  readonly #limits: CatalogLimits;
  /** Live tables of all databases, without those staged here. */
  readonly #liveTableCount: number;
  readonly #tables = new Map<string, TableOverlay>();
  #newTableCount = 0;
  #changed: boolean;

  constructor(databaseName: string, committed: MutableDatabase | undefined, liveTableCount: number, limits: CatalogLimits) {
    this.databaseName = databaseName;
    this.committed = committed;
    this.#liveTableCount = liveTableCount;
    this.#limits = limits;
    this.#changed = false;
  }

  get database(): DatabaseSchema | undefined {
    return this.committed;
  }

  get changed(): boolean {
    return this.#changed;
  }

  get newTableCount(): number {
    return this.#newTableCount;
  }

  table(name: string): StagedTable | undefined {
    const staged = this.#tables.get(name);
    if (staged !== undefined) return staged;
    const committed = this.committed?.tables.get(name);
    if (committed === undefined) return undefined;
    const overlay = new TableOverlay(name, committed);
    this.#tables.set(name, overlay);
    return overlay;
  }

  stage(addition: SchemaAddition): StagedTable {
    const existing = this.table(addition.tableName) as TableOverlay | undefined;
    const overlay = existing ?? new TableOverlay(addition.tableName, undefined);
    if (existing === undefined) this.#checkTableLimit();
    const accepted = overlay.check(addition.newColumns, this.#limits.maxColumnsPerTable);
    if (existing === undefined) {
      if (!accepted.some(([name]) => name === TIME)) accepted.push([TIME, 'time']);
      this.#tables.set(addition.tableName, overlay);
      this.#newTableCount++;
    }
    if (accepted.length > 0) this.#changed = true;
    overlay.add(accepted);
    return overlay;
  }

  /** Tables with additions, in the order they were first met. */
  *additions(): Generator<TableOverlay> {
    for (const overlay of this.#tables.values()) {
      if (overlay.added.length > 0) yield overlay;
    }
  }

  #checkTableLimit(): void {
    const count = this.#liveTableCount + this.#newTableCount;
    if (count >= this.#limits.maxTables) throw tableLimitExceeded(count, this.#limits.maxTables);
  }
}

/** One table with what a transaction adds to it. */
export class TableOverlay implements StagedTable {
  readonly name: string;
  readonly committed: MutableTable | undefined;
  readonly added: ColumnEntry[] = [];
  readonly #addedTypes = new Map<string, ColumnType>();
  /** Columns that the table had when this overlay was made: the limit is counted from here. */
  readonly #committedCount: number;

  constructor(name: string, committed: MutableTable | undefined) {
    this.name = name;
    this.committed = committed;
    this.#committedCount = committed === undefined ? 0 : committed.columns.length - (committed.columnByName.has(TIME) ? 1 : 0);
  }

  get deleted(): boolean {
    return this.committed?.deleted === true;
  }

  column(name: string): ColumnType | undefined {
    return this.committed?.columnByName.get(name)?.type ?? this.#addedTypes.get(name);
  }

  /** The columns that are really new, left to right. Throws `SchemaError` at the first that does not fit. */
  check(columns: SchemaAddition['newColumns'], columnsMax: number): ColumnEntry[] {
    const accepted = new Map<string, ColumnType>();
    let count = this.#committedCount + this.added.length - (this.#addedTypes.has(TIME) ? 1 : 0);
    for (const { name, type } of columns) {
      const existing = this.column(name) ?? accepted.get(name);
      if (existing !== undefined) {
        if (existing !== type) throw columnTypeConflict(name, existing, type);
        continue;
      }
      if ((name === TIME && type !== 'time') || name === CHUNK_ORDER) throw reservedColumn(name);
      assert(type !== 'time' || name === TIME, `column '${name}' cannot hold the time`);
      if (type !== 'time' && ++count > columnsMax) throw columnLimitExceeded(columnsMax);
      accepted.set(name, type);
    }
    return [...accepted];
  }

  add(columns: readonly ColumnEntry[]): void {
    for (const entry of columns) {
      this.added.push(entry);
      this.#addedTypes.set(entry[0], entry[1]);
    }
  }
}
