import type { Random } from '../fuzz/random.ts';
import type { TestRow } from '../support/model-table.ts';
import { AGGREGATES, type AggregateItem, aggregateItem, type GroupKey, groupKey, groupRows } from './aggregates.ts';
import { and, anyCondition, type Condition, cellOf, identifier, isNumber, plainCondition } from './conditions.ts';
import type { Expectation, SortTerm } from './expectation.ts';
import { columnsOf, type TestColumn, type TestTable } from './tables.ts';
import { type Cell, cellText } from './values.ts';

/** A random statement and what it means. */
export interface Statement {
  readonly language: 'sql' | 'influxql';
  readonly text: string;
  /** The answer, from all rows of the table. */
  readonly expected: (rows: readonly TestRow[]) => Expectation;
}

/** @param always a condition that holds for the rows that are meant and for none that other writers add */
export function randomStatement(random: Random, table: TestTable, always: Condition | undefined): Statement {
  if (random.chance(0.5)) return plainStatement(random, table, always);
  const condition = random.chance(0.65) ? plainCondition(random, table) : anyCondition(random, table);
  const where = condition === undefined ? always : and(condition.sql.includes(' OR ') ? bracketed(condition) : condition, always);
  const parts: Parts = { random, table, where };
  switch (random.below(7)) {
    case 0:
    case 1:
      return rowStatement(parts);
    case 2:
      return edgeStatement(parts);
    case 3:
      return distinctStatement(parts);
    default:
      return groupStatement(parts);
  }
}

/** A statement of the kind that columns in memory may answer. */
function plainStatement(random: Random, all: TestTable, always: Condition | undefined): Statement {
  const table = { ...all, fields: all.fields.filter(({ type }) => isNumber(type)) };
  const parts: Parts = { random, table, where: and(plainCondition(random, table), always) };
  const choice = random.below(6);
  if (table.fields.length === 0 || choice > 2) return groupStatement(parts);
  return choice === 0 ? rowStatement(parts) : edgeStatement(parts);
}

interface Parts {
  readonly random: Random;
  readonly table: TestTable;
  readonly where: Condition | undefined;
}

function bracketed(condition: Condition): Condition {
  return { sql: `(${condition.sql})`, test: condition.test };
}

export function whereText(where: Condition | undefined): string {
  return where === undefined ? '' : ` WHERE ${where.sql}`;
}

export function matching(rows: readonly TestRow[], where: Condition | undefined): readonly TestRow[] {
  return where === undefined ? rows : rows.filter((row) => where.test(row) === true);
}

function someColumns(random: Random, table: TestTable): TestColumn[] {
  const columns = columnsOf(table).filter(() => random.chance(0.6));
  return columns.length > 0 ? columns : [random.pick(columnsOf(table))];
}

function rowStatement({ random, table, where }: Parts): Statement {
  const columns = someColumns(random, table);
  const list = columns.map((column, i) => `${identifier(column.name)}${random.chance(0.2) ? ` AS c${i}` : ''}`).join(', ');
  const order = random.chance(0.35)
    ? sortTerms(
        random,
        columns.map((_, i) => i),
      )
    : [];
  const { limit, offset, text } = limits(random, 0.35);
  return {
    language: 'sql',
    text: `SELECT ${list} FROM ${identifier(table.name)}${whereText(where)}${orderText(order)}${text}`,
    expected: (rows) => ({ rows: matching(rows, where).map((row) => columns.map((column) => cellOf(row, column))), order, limit, offset }),
  };
}

function distinctStatement({ random, table, where }: Parts): Statement {
  const columns = someColumns(random, table).slice(0, 3);
  const list = columns.map((column) => identifier(column.name)).join(', ');
  const order = random.chance(0.5)
    ? sortTerms(
        random,
        columns.map((_, i) => i),
      )
    : [];
  return {
    language: 'sql',
    text: `SELECT DISTINCT ${list} FROM ${identifier(table.name)}${whereText(where)}${orderText(order)}`,
    expected: (rows) => ({ rows: distinct(matching(rows, where).map((row) => columns.map((column) => cellOf(row, column)))), order }),
  };
}

function distinct(rows: readonly Cell[][]): Cell[][] {
  return [...new Map(rows.map((row) => [row.map(cellText).join(), row])).values()];
}

/** The newest (oldest) row of each group. */
function edgeStatement({ random, table, where }: Parts): Statement {
  const keys = table.tags.filter(() => random.chance(0.7));
  const columns = [...keys, ...columnsOf(table).filter((column) => !keys.includes(column) && random.chance(0.6))];
  if (columns.length === 0) columns.push({ name: 'time', type: 'time' });
  const newest = random.chance(0.7);
  const partition = keys.length === 0 ? '' : `PARTITION BY ${keys.map(({ name }) => identifier(name)).join(', ')} `;
  const list = columns.map(({ name }) => identifier(name)).join(', ');
  const inner = random.chance(0.5) ? '*' : [...new Set([...columns.map(({ name }) => name), 'time'])].map(identifier).join(', ');
  const ranked = `SELECT ${inner}, row_number() OVER (${partition}ORDER BY time${newest ? ' DESC' : ''}) AS rn FROM ${identifier(table.name)}${whereText(where)}`;
  return {
    language: 'sql',
    text: `SELECT ${list} FROM (${ranked}) AS ranked WHERE rn = 1`,
    expected: (rows) => {
      const groups = new Map<string, TestRow[]>();
      for (const row of matching(rows, where)) {
        const key = keys.map((column) => cellText(cellOf(row, column))).join();
        const best = groups.get(key);
        const first = best?.[0]?.timeNs;
        if (best === undefined || first === undefined || (newest ? row.timeNs > first : row.timeNs < first)) groups.set(key, [row]);
        else if (row.timeNs === first) best.push(row);
      }
      const oneOf = [...groups.values()].map((candidates) => candidates.map((row) => columns.map((column) => cellOf(row, column))));
      return { rows: [], oneOf, order: [] };
    },
  };
}

function groupStatement({ random, table, where }: Parts): Statement {
  const keys: GroupKey[] = table.tags.filter(() => random.chance(0.35)).map((column, i) => groupKey(column, `k${i}`));
  if (random.chance(0.5)) keys.push(groupKey(undefined, 't', random));
  if (table.fields.length > 0 && random.chance(0.08)) keys.push(groupKey(random.pick(table.fields), 'g'));
  const aggregates: AggregateItem[] = Array.from({ length: 1 + random.below(4) }, (_, i) => aggregateItem(random, table, `a${i}`));
  if (random.chance(0.1)) aggregates.length = 0;
  const items = [...keys, ...aggregates];
  if (items.length === 0) return groupStatement({ random, table, where });
  const exact = items.flatMap((item, at) => ('exact' in item && !item.exact ? [] : at));
  const order = random.chance(0.6) ? sortTerms(random, exact) : [];
  const paged = order.length > 0 || exact.length === items.length ? limits(random, 0.3) : limits(random, 0);
  const groupBy = keys.length === 0 ? '' : ` GROUP BY ${keys.map(({ alias, sql }) => (random.chance(0.5) ? sql : alias)).join(', ')}`;
  if (keys.length === 0 && aggregates.length === 0) aggregates.push(AGGREGATES.rows('a0'));
  return {
    language: 'sql',
    text: `SELECT ${items.map(({ sql, alias }) => `${sql} AS ${alias}`).join(', ')} FROM ${identifier(table.name)}${whereText(where)}${groupBy}${orderText(order)}${paged.text}`,
    expected: (rows) => ({
      rows: groupRows(matching(rows, where), keys, aggregates),
      order,
      limit: paged.limit,
      offset: paged.offset,
    }),
  };
}

function sortTerms(random: Random, positions: readonly number[]): SortTerm[] {
  const terms: SortTerm[] = [];
  for (const at of positions) {
    if (!random.chance(0.6)) continue;
    const descending = random.chance(0.4);
    terms.push({ at, descending, nullsFirst: random.chance(0.2) ? random.chance(0.5) : descending });
  }
  return random.chance(0.5) ? terms.reverse() : terms;
}

function orderText(order: readonly SortTerm[]): string {
  if (order.length === 0) return '';
  const terms = order.map(({ at, descending, nullsFirst }) => {
    const nulls = nullsFirst === descending ? '' : ` NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
    return `${at + 1}${descending ? ' DESC' : ''}${nulls}`;
  });
  return ` ORDER BY ${terms.join(', ')}`;
}

function limits(
  random: Random,
  share: number,
): { readonly limit: number | undefined; readonly offset: number | undefined; readonly text: string } {
  if (!random.chance(share)) return { limit: undefined, offset: undefined, text: '' };
  const limit = random.chance(0.9) ? random.pick([0, 1, 2, 5, 20, 1000]) : undefined;
  const offset = random.chance(0.4) ? random.pick([0, 1, 3, 10, 500]) : undefined;
  return { limit, offset, text: `${limit === undefined ? '' : ` LIMIT ${limit}`}${offset === undefined ? '' : ` OFFSET ${offset}`}` };
}
