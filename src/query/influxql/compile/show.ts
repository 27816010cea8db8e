/** SHOW statements. */

import type { CompiledSql } from '../../sql/index.ts';
import { quoteString } from '../../sql/types/quote.ts';
import type { NameFilter, Statement } from '../parse/ast.ts';
import type { CompiledInfluxql } from './compile.ts';
import { asEmptyTag, conditionSql } from './condition.ts';
import { byCodePoint } from './expand.ts';
import type { Expr, RefExpr, Source } from './ir.ts';
import { namePattern } from './name-pattern.ts';
import { partitionBy } from './plan.ts';
import { type OpenRows, type Rowset, tableRows } from './rowset.ts';
import { measurementNames } from './select.ts';
import { CompileState, fillMarkers, type InfluxqlCompileContext } from './state.ts';
import { splitCondition } from './time-range.ts';
import type { Value } from './types.ts';

/** Statements about the tables of one database. */
export type ShowStatement = Extract<
  Statement,
  { kind: 'show-measurements' | 'show-tag-keys' | 'show-field-keys' | 'show-tag-values' | 'show-series' | 'show-cardinality' }
>;

interface Limits {
  readonly limit: bigint | undefined;
  readonly offset: bigint | undefined;
}

/**
 * Compiles a SHOW statement; those without WHERE (but for values) read the catalog only.
 * @param asV1 as InfluxDB 1 answers where InfluxDB 3 Core has another answer
 */
export function compileShow(statement: ShowStatement, context: InfluxqlCompileContext, asV1: boolean): CompiledInfluxql {
  const state = new CompileState(context, asV1);
  switch (statement.kind) {
    case 'show-measurements':
      return answer(state, ['name'], limitedRows(measurements(state, statement), [], 'name', statement));
    case 'show-field-keys':
      return answer(state, ['fieldKey', 'fieldType'], limitedRows(fieldKeys(state, statement.from), ['m'], 'k', statement));
    case 'show-tag-keys':
      return answer(state, ['tagKey'], limitedRows(tagKeys(state, statement), ['m'], 'k', statement));
    case 'show-tag-values':
      return answer(state, ['key', 'value'], limitedTagValues(tagValues(state, statement), statement, asV1));
    case 'show-series':
      return answer(state, ['key'], limitedRows(series(state, statement), [], 'k', statement));
    case 'show-cardinality':
      return cardinality(state, statement);
  }
}

/** Rows with `iox::measurement` and text columns, or counts. */
function answer(state: CompileState, names: readonly string[], sql: string, counts = false): CompiledInfluxql {
  const text = { kind: 'string', dictionary: false } as const;
  const output: CompiledSql['output'] = ['iox::measurement', ...names].map((name, i) => ({
    name,
    type: counts && i > 0 ? ({ kind: 'int64' } as const) : text,
  }));
  const compiled: CompiledSql = { uses: state.uses, print: (source) => fillMarkers(sql, source), output, explain: 'no' };
  return { compiled, groupKey: { measurementColumn: 0, tagColumns: [] } };
}

/** Selects whose columns are named by `columns`, one after the other. */
interface Parts {
  readonly columns: readonly string[];
  readonly selects: readonly string[];
}

/** All rows in order, numbered within `groups` for LIMIT and OFFSET. */
function limitedRows({ columns, selects }: Parts, groups: readonly string[], by: string, { limit, offset }: Limits): string {
  const empty = `SELECT ${columns.map((name) => `CAST(NULL AS VARCHAR) AS ${name}`).join(', ')} WHERE false`;
  const all = selects.length === 0 ? empty : selects.join(' UNION ALL ');
  const order = `ORDER BY ${[...new Set([...groups, by])].join(', ')}`;
  if (limit === undefined && offset === undefined) return `SELECT * FROM (${all}) ${order}`;
  const first = offset ?? 0n;
  const number = `row_number() OVER (${partitionBy(groups)}ORDER BY ${by})`;
  const last = limit === undefined ? '' : ` AND ${number} <= ${first + limit}`;
  return `SELECT * FROM (${all}) QUALIFY ${number} > ${first}${last} ${order}`;
}

/** LIMIT counts the values of each key, in InfluxDB 1 those of each measurement. */
function limitedTagValues(values: Parts, limits: Limits, asV1: boolean): string {
  return asV1 ? limitedRows(values, ['m'], 'k, v', limits) : limitedRows(values, ['m', 'k'], 'v', limits);
}

function rowsetsOf(state: CompileState, from: readonly Source[]): Rowset[] {
  const names =
    from.length === 0
      ? state.context.measurements()
      : from.flatMap((source) => (source.kind === 'subquery' ? [] : measurementNames(state, source)));
  return [...new Set(names)].sort(byCodePoint).flatMap((name) => {
    const relation = state.context.measurement(name);
    return relation === undefined ? [] : [tableRows(state, relation)];
  });
}

/** The rows of a table that WHERE lets through, of all times unless it speaks of time. */
function matching(
  state: CompileState,
  rowset: Rowset,
  where: Expr | undefined,
): { readonly open: OpenRows; readonly conditions: string[] } {
  const { range, filter } = splitCondition(where, { nowNs: state.nowNs, zone: undefined });
  const open = rowset.open(range);
  const conditions = open.within(range);
  const column = (ref: RefExpr): Value => (state.asV1 ? asEmptyTag(open.column(ref), ref) : open.column(ref));
  if (filter !== undefined) conditions.push(conditionSql(filter, { timeNs: open.timeNs, column }));
  return { open, conditions };
}

function measurements(state: CompileState, { filter, where }: Extract<ShowStatement, { kind: 'show-measurements' }>): Parts {
  const selects: string[] = [];
  for (const rowset of rowsetsOf(state, [])) {
    if (filter !== undefined && !matches(filter, rowset.measurement)) continue;
    const row = `SELECT 'measurements' AS m, ${quoteString(rowset.measurement)} AS name`;
    if (where === undefined) {
      selects.push(row);
      continue;
    }
    const { open, conditions } = matching(state, rowset, where);
    selects.push(`${row} WHERE EXISTS (SELECT 1 FROM ${open.from} WHERE ${conditions.join(' AND ')})`);
  }
  return { columns: ['m', 'name'], selects };
}

function fieldKeys(state: CompileState, from: readonly Source[]): Parts {
  const selects = rowsetsOf(state, from).flatMap(({ measurement, columns }) =>
    [...columns]
      .filter(([, type]) => type !== 'tag')
      .map(([name, type]) => `SELECT ${quoteString(measurement)} AS m, ${quoteString(name)} AS k, ${quoteString(type)} AS t`),
  );
  return { columns: ['m', 'k', 't'], selects };
}

function tagKeys(state: CompileState, { from, where }: Extract<ShowStatement, { kind: 'show-tag-keys' }>): Parts {
  const selects: string[] = [];
  for (const rowset of rowsetsOf(state, from)) {
    const tags = tagsOf(rowset);
    const row = (tag: string): string => `SELECT ${quoteString(rowset.measurement)} AS m, ${quoteString(tag)} AS k`;
    if (where === undefined) {
      selects.push(...tags.map(row));
      continue;
    }
    for (const tag of tags) {
      const { open, conditions } = matching(state, rowset, where);
      const known = `${open.column(tagRef(tag)).sql} IS NOT NULL`;
      selects.push(`${row(tag)} WHERE EXISTS (SELECT 1 FROM ${open.from} WHERE ${[...conditions, known].join(' AND ')})`);
    }
  }
  return { columns: ['m', 'k'], selects };
}

function tagValues(state: CompileState, { from, where, key }: Extract<ShowStatement, { kind: 'show-tag-values' }>): Parts {
  const selects: string[] = [];
  for (const rowset of rowsetsOf(state, from)) {
    for (const tag of tagsOf(rowset).filter((name) => matches(key, name))) {
      const { open, conditions } = matching(state, rowset, where);
      const value = open.column(tagRef(tag)).sql;
      const names = `${quoteString(rowset.measurement)} AS m, ${quoteString(tag)} AS k`;
      selects.push(
        `SELECT DISTINCT ${names}, ${value} AS v FROM ${open.from} WHERE ${[...conditions, `${value} IS NOT NULL`].join(' AND ')}`,
      );
    }
  }
  return { columns: ['m', 'k', 'v'], selects };
}

/** Keys of series, as InfluxDB 1 writes them. */
function series(state: CompileState, { from, where }: Pick<Extract<ShowStatement, { kind: 'show-series' }>, 'from' | 'where'>): Parts {
  const selects = rowsetsOf(state, from).map((rowset) => {
    const { open, conditions } = matching(state, rowset, where);
    const parts = tagsOf(rowset)
      .sort(byCodePoint)
      .map((tag) => `coalesce(${quoteString(`,${escaped(tag)}=`)} || ${escapedSql(open.column(tagRef(tag)).sql)}, '')`);
    const key = [quoteString(rowset.measurement.replace(/[, ]/g, '\\$&')), ...parts].join(' || ');
    return `SELECT DISTINCT '' AS m, ${key} AS k FROM ${open.from} WHERE ${[...conditions, 'true'].join(' AND ')}`;
  });
  return { columns: ['m', 'k'], selects };
}

function escaped(tag: string): string {
  return tag.replace(/[,= ]/g, '\\$&');
}

function escapedSql(value: string): string {
  return `regexp_replace(${value}, '([,= ])', '\\\\\\1', 'g')`;
}

/** Counts by measurement, or one count for the estimates and for measurements. */
function cardinality(state: CompileState, statement: Extract<ShowStatement, { kind: 'show-cardinality' }>): CompiledInfluxql {
  const { estimated, of } = statement;
  const parts = counted(state, statement);
  const limits = { limit: undefined, offset: undefined };
  const rows = limitedRows(parts, [], parts.columns[1] as string, limits);
  const name = estimated ? 'cardinality estimation' : 'count';
  if (estimated || of === 'measurement') return answer(state, [name], `SELECT '' AS m, count(*) AS c FROM (${rows})`, true);
  return answer(state, [name], `SELECT m, count(*) AS c FROM (${rows}) GROUP BY m ORDER BY m`, true);
}

/** What is counted, with its measurement. */
function counted(state: CompileState, statement: Extract<ShowStatement, { kind: 'show-cardinality' }>): Parts {
  const { from, key, of, where } = statement;
  switch (of) {
    case 'series': {
      const selects = rowsetsOf(state, from).map((rowset) => {
        const { selects: one } = series(state, { from: [{ kind: 'measurement', name: rowset.measurement }], where });
        return `SELECT ${quoteString(rowset.measurement)} AS m, k FROM (${one.join('')})`;
      });
      return { columns: ['m', 'k'], selects };
    }
    case 'measurement': {
      const wanted = new Set(rowsetsOf(state, from).map(({ measurement }) => quoteString(measurement)));
      const { columns, selects } = measurements(state, {
        kind: 'show-measurements',
        filter: undefined,
        where,
        limit: undefined,
        offset: undefined,
      });
      const named = [...wanted].map((name) => `${name} AS name`);
      return { columns, selects: selects.filter((each) => named.some((name) => each.includes(name))) };
    }
    case 'tag key':
      return tagKeys(state, { kind: 'show-tag-keys', from, where, limit: undefined, offset: undefined });
    case 'field key':
      return fieldKeys(state, from);
    case 'tag values':
      return tagValues(state, {
        kind: 'show-tag-values',
        from,
        where,
        key: key ?? { op: 'in', names: [] },
        limit: undefined,
        offset: undefined,
      });
  }
}

function tagsOf({ columns }: Rowset): string[] {
  return [...columns].filter(([, type]) => type === 'tag').map(([name]) => name);
}

function tagRef(name: string): RefExpr {
  return { kind: 'ref', name, cast: undefined };
}

function matches(filter: NameFilter, name: string): boolean {
  switch (filter.op) {
    case '=':
      return name === filter.name;
    case '!=':
      return name !== filter.name;
    case 'in':
      return filter.names.includes(name);
    case '=~':
      return namePattern(filter.source).test(name);
    case '!~':
      return !namePattern(filter.source).test(name);
  }
}
