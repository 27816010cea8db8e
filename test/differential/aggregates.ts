import type { Random } from '../fuzz/random.ts';
import type { TestRow } from '../support/model-table.ts';
import { cellOf, identifier, isNumber, timeText } from './conditions.ts';
import type { ExpectedCell } from './expectation.ts';
import { START_NS, type TestColumn, type TestTable } from './tables.ts';
import { type Cell, cellText, compareCells } from './values.ts';

/** Something that rows are grouped by. */
export interface GroupKey {
  readonly alias: string;
  readonly sql: string;
  readonly of: (row: TestRow) => Cell;
}

/** An aggregate of a select list. */
export interface AggregateItem {
  readonly alias: string;
  readonly sql: string;
  /** False = a sum of doubles, which depends on the order of the rows. */
  readonly exact: boolean;
  readonly of: (rows: readonly TestRow[]) => ExpectedCell;
}

const UNITS = { second: 1_000_000_000n, minute: 60_000_000_000n, hour: 3_600_000_000_000n, day: 86_400_000_000_000n } as const;

/** A column as a key; undefined = `date_bin` of the time. */
export function groupKey(column: TestColumn | undefined, alias: string, random?: Random): GroupKey {
  if (column !== undefined) return { alias, sql: identifier(column.name), of: (row) => cellOf(row, column) };
  if (random === undefined) throw new Error('a bin needs random numbers');
  const unit = random.pick(['second', 'minute', 'minute', 'hour', 'day'] as const);
  const count = random.pick([1, 5, 7, 10, 30, 100]);
  const width = BigInt(count) * UNITS[unit];
  const origin = random.chance(0.3) ? random.pick([START_NS + 1n, 0n, START_NS - 90_000_000_000n, -1_500_000_000n]) : undefined;
  const arguments_ = [
    `INTERVAL '${count} ${unit}${count === 1 ? '' : 's'}'`,
    'time',
    ...(origin === undefined ? [] : [`TIMESTAMP '${timeText(origin)}'`]),
  ];
  return { alias, sql: `date_bin(${arguments_.join(', ')})`, of: (row) => binStart(row.timeNs, width, origin ?? 0n) };
}

/** Start of the bin that a time is in; bins begin at the origin and go both ways. */
export function binStart(ns: bigint, width: bigint, origin: bigint): bigint {
  const distance = ns - origin;
  const rest = ((distance % width) + width) % width;
  return ns - rest;
}

export const AGGREGATES = {
  rows: (alias: string): AggregateItem => ({ alias, sql: 'count(*)', exact: true, of: (rows) => BigInt(rows.length) }),
  count: (alias: string, column: TestColumn): AggregateItem => ({
    alias,
    sql: `count(${identifier(column.name)})`,
    exact: true,
    of: (rows) => BigInt(valuesOf(rows, column).length),
  }),
  countDistinct: (alias: string, column: TestColumn): AggregateItem => ({
    alias,
    sql: `count(DISTINCT ${identifier(column.name)})`,
    exact: true,
    of: (rows) => BigInt(new Set(valuesOf(rows, column).map(cellText)).size),
  }),
  sum: (alias: string, column: TestColumn): AggregateItem => ({
    alias,
    sql: `sum(${identifier(column.name)})`,
    exact: column.type !== 'float',
    of: (rows) => sumOf(valuesOf(rows, column), column.type),
  }),
  average: (alias: string, column: TestColumn, name: string): AggregateItem => ({
    alias,
    sql: `${name}(${identifier(column.name)})`,
    exact: false,
    of: (rows) => averageOf(valuesOf(rows, column)),
  }),
  edge: (alias: string, column: TestColumn, name: 'min' | 'max'): AggregateItem => ({
    alias,
    sql: `${name}(${identifier(column.name)})`,
    exact: true,
    of: (rows) => edgeOf(valuesOf(rows, column), name),
  }),
};

export function aggregateItem(random: Random, table: TestTable, alias: string): AggregateItem {
  const column = random.pick<TestColumn>([...table.fields, ...table.fields, ...table.tags, { name: 'time', type: 'time' }]);
  const choice = random.below(9);
  if (choice === 0) return AGGREGATES.rows(alias);
  if (choice === 1) return AGGREGATES.count(alias, column);
  if (choice === 2 && random.chance(0.5)) return AGGREGATES.countDistinct(alias, column);
  if (isNumber(column.type) && choice < 5) return AGGREGATES.sum(alias, column);
  if (isNumber(column.type) && choice < 6) return AGGREGATES.average(alias, column, random.pick(['avg', 'mean']));
  if (column.type === 'boolean') return AGGREGATES.count(alias, column);
  return AGGREGATES.edge(alias, column, random.pick(['min', 'max']));
}

type Value = Exclude<Cell, null>;

export function valuesOf(rows: readonly TestRow[], column: TestColumn): Value[] {
  return rows.map((row) => cellOf(row, column)).filter((cell) => cell !== null);
}

/** Integers wrap at 64 bits. */
export function sumOf(values: readonly Value[], type: TestColumn['type']): ExpectedCell {
  if (values.length === 0) return null;
  if (type === 'integer')
    return BigInt.asIntN(
      64,
      (values as bigint[]).reduce((a, b) => a + b, 0n),
    );
  if (type === 'uinteger')
    return BigInt.asUintN(
      64,
      (values as bigint[]).reduce((a, b) => a + b, 0n),
    );
  return { value: plainSum(values), tolerance: 1e-9 * plainSum(values.map((value) => Math.abs(Number(value)))) };
}

export function averageOf(values: readonly Value[]): ExpectedCell {
  if (values.length === 0) return null;
  const size = plainSum(values.map((value) => Math.abs(Number(value)))) / values.length;
  return { value: plainSum(values) / values.length, tolerance: 1e-9 * size };
}

function plainSum(values: readonly Value[]): number {
  return values.reduce<number>((sum, value) => sum + Number(value), 0);
}

export function edgeOf(values: readonly Value[], name: 'min' | 'max'): Cell {
  let best: Value | undefined;
  for (const value of values) {
    if (best === undefined || (name === 'min' ? compareCells(value, best) < 0 : compareCells(value, best) > 0)) best = value;
  }
  return best ?? null;
}

/** Rows of a grouped statement: keys, then aggregates. Without keys there is one row in any case. */
export function groupRows(rows: readonly TestRow[], keys: readonly GroupKey[], aggregates: readonly AggregateItem[]): ExpectedCell[][] {
  if (keys.length === 0) return [aggregates.map(({ of }) => of(rows))];
  const groups = new Map<string, { readonly cells: readonly Cell[]; readonly rows: TestRow[] }>();
  for (const row of rows) {
    const cells = keys.map(({ of }) => of(row));
    const key = cells.map(cellText).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { cells, rows: [row] });
    else group.rows.push(row);
  }
  return [...groups.values()].map((group) => [...group.cells, ...aggregates.map(({ of }) => of(group.rows))]);
}
