import type { SchemaTransaction, TableSchema } from '../../catalog/schema.ts';
import { assert } from '../../shared/assert.ts';
import type { SeriesIndex } from '../series/index.ts';
import { KeyTable } from './key-table.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { ParsedTable } from './parsed-write.ts';
import { TableBuilder } from './table-builder.ts';

/** Column memory above this part of what any body may take is given back after a body. */
const RETAINED_PART = 1 / 8;

/**
 * The tables of one database that the parser has met, by slot, and those that the current body writes to. Between two bodies
 * no table has rows.
 */
export class TableSet {
  readonly #seriesOf: (table: TableSchema) => SeriesIndex;
  readonly #budget: MemoryBudget;
  readonly #slots: TableBuilder[] = [];
  readonly #slotByName = new Map<string, number>();
  #names = new KeyTable();
  #current: TableBuilder[] = [];
  #transaction: SchemaTransaction | undefined;
  #parse = 0;

  /** @param columnBytesMax see `MemoryBudget` */
  constructor(seriesOf: (table: TableSchema) => SeriesIndex, columnBytesMax?: number) {
    this.#seriesOf = seriesOf;
    this.#budget = new MemoryBudget(columnBytesMax);
  }

  /** Sets up for one body. */
  begin(transaction: SchemaTransaction, bodyBytes: number): void {
    assert(this.#current.length === 0, 'a body begins before the last one has ended');
    this.#transaction = transaction;
    this.#budget.begin(bodyBytes);
    this.#parse++;
  }

  /** Completes the tables with rows, `rows` in all, and returns them. Their memory is theirs until `end`. */
  finish(rows: number): ParsedTable[] {
    const tables = this.#current.filter((table) => table.rowCount > 0).map((table) => table.finish());
    let found = 0;
    for (const table of tables) found += table.rowCount;
    assert(found === rows, 'the tables of a body hold as many rows as lines were accepted');
    return tables;
  }

  /** Ends a body, whatever became of it: no row and no use of its transaction is left. */
  end(): void {
    this.#transaction = undefined;
    const release = this.#budget.usedBytes > this.#budget.baseBytes * RETAINED_PART;
    for (const table of release ? this.#slots : this.#current) table.reset(release);
    this.#current = [];
  }

  /** The table of a slot; undefined when the catalog has another table of that name now. */
  at(slot: number): TableBuilder | undefined {
    const table = this.#slots[slot];
    if (table === undefined || table.checkedIn === this.#parse) return table;
    return this.#check(table) ? table : undefined;
  }

  /** The slot of a committed table whose name is `bytes[start, end)`, -1 when there is none. */
  slotAt(bytes: Uint8Array, start: number, end: number): number {
    const slot = this.#names.get(bytes, start, end);
    if (slot >= 0 && this.at(slot) !== undefined) return slot;
    return this.slotOf(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8'));
  }

  /** The slot of a committed table, -1 when there is none. */
  slotOf(name: string): number {
    const known = this.#slotByName.get(name);
    if (known !== undefined && this.at(known) !== undefined) return known;
    const schema = this.#transaction?.database?.tables.get(name);
    if (known !== undefined) this.#slots[known]?.reset(true);
    if (schema === undefined || schema.deleted || !schema.columnByName.has('time')) return -1;
    const table = new TableBuilder(schema, this.#seriesOf(schema), this.#budget);
    table.checkedIn = this.#parse;
    this.#current.push(table);
    // A new slot, not the old one: what the series cache knows of the old one must not reach the new table.
    const slot = this.#slots.push(table) - 1;
    this.#slotByName.set(name, slot);
    this.#names.set(Buffer.from(name), slot);
    return slot;
  }

  /** Forgets all tables. */
  clear(): void {
    this.#budget.usedBytes = 0;
    this.#slots.length = 0;
    this.#slotByName.clear();
    this.#names = new KeyTable();
    this.#current = [];
  }

  #check(table: TableBuilder): boolean {
    const { schema } = table;
    const database = this.#transaction?.database;
    if (schema.deleted || database?.tables.get(schema.name) !== schema || this.#seriesOf(schema) !== table.series) return false;
    table.checkedIn = this.#parse;
    table.refresh();
    this.#current.push(table);
    return true;
  }
}
