import type { Random } from '../fuzz/random.ts';
import type { TestRow } from '../support/model-table.ts';
import { randomTime, type TestColumn, type TestTable } from './tables.ts';
import { type Cell, compareCells } from './values.ts';

/** SQL's logic: null = unknown. */
export type Truth = boolean | null;

/** A condition as text and as a function. */
export interface Condition {
  readonly sql: string;
  readonly test: (row: TestRow) => Truth;
}

export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function textLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The cell of a row; null where it has none. */
export function cellOf(row: TestRow, { name, type }: TestColumn): Cell {
  if (type === 'time') return row.timeNs;
  return (type === 'tag' ? row.tags[name] : row.fields[name]) ?? null;
}

/** RFC 3339 with nine digits. */
export function timeText(ns: bigint): string {
  const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
  const rest = ns - seconds * 1_000_000_000n;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${String(rest).padStart(9, '0')}Z`;
}

export function and(...conditions: readonly (Condition | undefined)[]): Condition | undefined {
  const all = conditions.filter((condition) => condition !== undefined);
  if (all.length < 2) return all[0];
  return {
    sql: all.map(({ sql }) => sql).join(' AND '),
    test: (row) => all.reduce<Truth>((truth, { test }) => both(truth, test(row)), true),
  };
}

function both(a: Truth, b: Truth): Truth {
  if (a === false || b === false) return false;
  return a === null || b === null ? null : true;
}

function not(truth: Truth): Truth {
  return truth === null ? null : !truth;
}

/** Conditions of the kind that dashboards ask: bounds of time, values of tags, comparisons of number fields. */
export function plainCondition(random: Random, table: TestTable): Condition | undefined {
  const parts: Condition[] = [];
  if (random.chance(0.5)) parts.push(...timeBounds(random, table));
  for (const tag of table.tags) if (random.chance(0.25)) parts.push(tagValues(random, table, tag));
  const numbers = table.fields.filter(({ type }) => isNumber(type));
  if (numbers.length > 0 && random.chance(0.4)) parts.push(comparison(random, table, random.pick(numbers)));
  return and(...parts);
}

/** Conditions of any kind. */
export function anyCondition(random: Random, table: TestTable, depth = 2): Condition {
  if (depth > 0 && random.chance(0.45)) {
    const [left, right] = [anyCondition(random, table, depth - 1), anyCondition(random, table, depth - 1)];
    if (random.chance(0.5)) return { sql: `(${left.sql}) AND (${right.sql})`, test: (row) => both(left.test(row), right.test(row)) };
    return { sql: `(${left.sql}) OR (${right.sql})`, test: (row) => not(both(not(left.test(row)), not(right.test(row)))) };
  }
  if (depth > 0 && random.chance(0.12)) {
    const inner = anyCondition(random, table, depth - 1);
    return { sql: `NOT (${inner.sql})`, test: (row) => not(inner.test(row)) };
  }
  const column = random.pick<TestColumn>([...table.tags, ...table.fields, { name: 'time', type: 'time' }]);
  if (random.chance(0.12)) {
    const negated = random.chance(0.5);
    return {
      sql: `${identifier(column.name)} IS ${negated ? 'NOT ' : ''}NULL`,
      test: (row) => (cellOf(row, column) === null) !== negated,
    };
  }
  if (column.type === 'boolean' && random.chance(0.5)) {
    return { sql: identifier(column.name), test: (row) => cellOf(row, column) as Truth };
  }
  const choice = random.below(8);
  if (choice === 0) return between(random, table, column);
  if (choice === 1) return oneOf(random, table, column);
  if (choice === 2 && (column.type === 'tag' || column.type === 'string')) return prefix(random, table, column);
  return comparison(random, table, column);
}

const OPERATORS = ['=', '!=', '<', '<=', '>', '>='] as const;

type Operator = (typeof OPERATORS)[number];

export function isNumber(type: TestColumn['type']): boolean {
  return type === 'float' || type === 'integer' || type === 'uinteger';
}

function meets(order: number, op: Operator): boolean {
  switch (op) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

function timeBounds(random: Random, table: TestTable): Condition[] {
  const time: TestColumn = { name: 'time', type: 'time' };
  const [a, b] = [randomTime(random, table), randomTime(random, table)];
  const [low, high] = a < b ? [a, b] : [b, a];
  const bounds: Condition[] = [];
  if (random.chance(0.8)) bounds.push(compared(time, random.pick(['>', '>=']), low, timeLiteral(random, low)));
  if (random.chance(0.8)) bounds.push(compared(time, random.pick(['<', '<=']), high, timeLiteral(random, high)));
  return bounds;
}

function timeLiteral(random: Random, ns: bigint): string {
  return `${random.chance(0.3) ? 'TIMESTAMP ' : ''}'${timeText(ns)}'`;
}

function tagValues(random: Random, table: TestTable, tag: TestColumn): Condition {
  const values = Array.from({ length: 1 + random.below(3) }, () => literal(random, table, tag).value as string);
  const any = oneOfTexts(tag, values);
  const [first] = values;
  const equal = (value: string): string => `${identifier(tag.name)} = ${textLiteral(value)}`;
  if (values.length === 1 && first !== undefined) return { ...any, sql: equal(first) };
  return random.chance(0.5) ? any : { ...any, sql: `(${values.map(equal).join(' OR ')})` };
}

/** `column IN (..)`. */
export function oneOfTexts(column: TestColumn, values: readonly string[]): Condition {
  return {
    sql: `${identifier(column.name)} IN (${values.map(textLiteral).join(', ')})`,
    test: (row) => {
      const cell = cellOf(row, column);
      return cell === null ? null : values.includes(cell as string);
    },
  };
}

function comparison(random: Random, table: TestTable, column: TestColumn): Condition {
  const op = column.type === 'boolean' ? random.pick(['=', '!='] as const) : random.pick(OPERATORS);
  const others = table.fields.filter((other) => other.name !== column.name && isNumber(other.type));
  if (isNumber(column.type) && others.length > 0 && random.chance(0.1)) return ofTwo(column, op, random.pick(others));
  const { value, sql } = literal(random, table, column);
  return compared(column, op, value, sql);
}

function compared(column: TestColumn, op: Operator, value: Exclude<Cell, null>, sql: string): Condition {
  return {
    sql: `${identifier(column.name)} ${op} ${sql}`,
    test: (row) => {
      const cell = cellOf(row, column);
      return cell === null ? null : meets(compareCells(cell, value), op);
    },
  };
}

function ofTwo(left: TestColumn, op: Operator, right: TestColumn): Condition {
  return {
    sql: `${identifier(left.name)} ${op} ${identifier(right.name)}`,
    test: (row) => {
      const [a, b] = [cellOf(row, left), cellOf(row, right)];
      return a === null || b === null ? null : meets(compareCells(a, b), op);
    },
  };
}

function between(random: Random, table: TestTable, column: TestColumn): Condition {
  if (column.type === 'boolean') return comparison(random, table, column);
  const [low, high] = ofOneType([literal(random, table, column), literal(random, table, column)]) as [Literal, Literal];
  return {
    sql: `${identifier(column.name)} BETWEEN ${low.sql} AND ${high.sql}`,
    test: (row) => {
      const cell = cellOf(row, column);
      return cell === null ? null : compareCells(cell, low.value) >= 0 && compareCells(cell, high.value) <= 0;
    },
  };
}

function oneOf(random: Random, table: TestTable, column: TestColumn): Condition {
  const literals = ofOneType(Array.from({ length: 1 + random.below(3) }, () => literal(random, table, column)));
  const negated = random.chance(0.3);
  return {
    sql: `${identifier(column.name)} ${negated ? 'NOT ' : ''}IN (${literals.map(({ sql }) => sql).join(', ')})`,
    test: (row) => {
      const cell = cellOf(row, column);
      return cell === null ? null : literals.some(({ value }) => compareCells(cell, value) === 0) !== negated;
    },
  };
}

function prefix(random: Random, table: TestTable, column: TestColumn): Condition {
  const [start] = (literal(random, table, column).value as string).replace(/[%_\\].*/s, '');
  const text = start ?? '';
  return {
    sql: `${identifier(column.name)} LIKE ${textLiteral(`${text}%`)}`,
    test: (row) => {
      const cell = cellOf(row, column) as string | null;
      return cell === null ? null : cell.startsWith(text);
    },
  };
}

interface Literal {
  readonly value: Exclude<Cell, null>;
  readonly sql: string;
}

/** Values of one comparison get a common type: with one double among them, integers are doubles too. */
function ofOneType(literals: readonly Literal[]): readonly Literal[] {
  if (!literals.some(({ value }) => typeof value === 'number')) return literals;
  return literals.map(({ value, sql }) => ({ value: typeof value === 'bigint' ? Number(value) : value, sql }));
}

/** A value to compare a column with: mostly one that it may have. */
function literal(random: Random, table: TestTable, column: TestColumn): Literal {
  if (column.type === 'time') {
    const ns = randomTime(random, table);
    return { value: ns, sql: timeLiteral(random, ns) };
  }
  if (column.type === 'tag') {
    const text = random.pick(table.series)[column.name] ?? random.pick(['', 'nobody', 'zz', 'a']);
    return { value: text, sql: textLiteral(text) };
  }
  const value = (table.fields.find(({ name }) => name === column.name) as TestTable['fields'][number]).make(random);
  if (typeof value === 'string') return { value, sql: textLiteral(value) };
  if (typeof value === 'bigint' && random.chance(0.1)) {
    const near = Number(value % 1000n) + 0.5;
    return { value: near, sql: String(near) };
  }
  if (typeof value === 'number') return { value, sql: numberText(value) };
  return { value, sql: String(value) };
}

function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}
