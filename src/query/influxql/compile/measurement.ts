/** The rows of one measurement, by the kind of the query. */
import { aggregateSql, extendsRange, subtracts, windowSql } from './aggregates.ts';
import { binSql, gridSql } from './bins.ts';
import { type CallValue, callRows } from './call-rows.ts';
import { type FillColumn, filledSql } from './fill.ts';
import { functionKind, integerArgument, numberArgument } from './functions.ts';
import { integralSql, withAreas } from './integral.ts';
import type { CallExpr, RefExpr } from './ir.ts';
import { keyNames, type MeasurementRows, partitionBy, type RowColumn, type SelectPlan, tieOrder } from './plan.ts';
import { printExpr } from './print-expr.ts';
import type { Rowset } from './rowset.ts';
import { type SourceRows, sourceRows } from './source-rows.ts';
import { floatSql, missing, type Value } from './types.ts';
import { evaluate, type ValueScope } from './values.ts';
import { binInRange, inBinsOfRange, rowsInRange, scanRange, shownCalls, wantedAggregates } from './window-range.ts';

/** Undefined when the measurement has nothing to show. */
export function measurementRows(plan: SelectPlan, rowset: Rowset): MeasurementRows | undefined {
  const source = sourceRows(plan, rowset, scanRange(plan));
  if (source === undefined) return undefined;
  const rows = rowsOf(plan, source);
  return { measurement: rowset.measurement, tieTags: rows.ties.length > 0 ? source.tieTags : [], ...rows };
}

interface Rows {
  readonly sql: string;
  readonly columns: readonly RowColumn[];
  readonly ties: readonly string[];
}

function rowsOf(plan: SelectPlan, source: SourceRows): Rows {
  switch (plan.analysis.kind) {
    case 'raw':
      return plan.analysis.windows.length > 0 ? windowRows(plan, source) : rawRows(plan, source);
    case 'distinct':
      return distinctRows(plan, source);
    case 'top':
      return topRows(plan, source);
    case 'selector':
      return plan.bins === undefined ? selectorRows(plan, source) : binnedSelectorRows(plan, source);
    case 'aggregate':
      return plan.bins === undefined ? aggregateRows(plan, source) : binnedRows(plan, source);
  }
}

interface Projection {
  /** Behind FROM. */
  readonly rest?: string;
  readonly ties?: readonly string[];
}

/** `SELECT g.., t, s.., expressions` over rows; `t` as given. */
function project(plan: SelectPlan, scope: ValueScope, from: string, t: string, { rest = '', ties = [] }: Projection = {}): Rows {
  const columns: RowColumn[] = [];
  const outputs: string[] = [];
  plan.fields.forEach(({ expr, name }, i) => {
    const value = evaluate(expr, scope);
    columns.push({ name, sqlName: `c${i}`, type: value.type });
    outputs.push(`${value.sql} AS c${i}`);
  });
  return { sql: `SELECT ${[...keyNames(plan), `${t} AS t`, ...ties, ...outputs].join(', ')} FROM (${from})${rest}`, columns, ties };
}

function refScope(source: SourceRows, call: (expr: CallExpr) => Value): ValueScope {
  return { ref: (expr: RefExpr) => source.value(expr), call };
}

function noCall(expr: CallExpr): Value {
  throw new Error(`internal error: ${expr.name}() has no value here`);
}

function rawRows(plan: SelectPlan, source: SourceRows): Rows {
  return project(plan, refScope(source, noCall), source.sql, 't', source);
}

function windowRows(plan: SelectPlan, source: SourceRows): Rows {
  const keys = keyNames(plan);
  const given = { keys, ties: tieOrder(plan, source.ties), descending: plan.select.descending, intervalNs: undefined };
  const window = (call: CallExpr): Value => windowSql(call, { ...given, value: source.value(call.args[0] as RefExpr) });
  if (!plan.asV1) return withoutEmpty(project(plan, refScope(source, window), source.sql, 't', source));
  const { sql, value } = firstOfTimes(plan, source);
  const calls = plan.analysis.windows.map((call): CallValue => {
    const made = windowSql(call, { ...given, value: value(call) });
    return { call, value: made, present: `${made.sql} IS NOT NULL` };
  });
  const rows = callRows(plan, sql, source.ties, calls);
  return project(plan, refScope(source, rows.value), rows.sql, 't', source);
}

/** Of values of one time, which rows of several series have, those that are subtracted take the first only, as in InfluxDB 1: else they would divide by zero. */
function firstOfTimes(plan: SelectPlan, source: SourceRows): { readonly sql: string; value(call: CallExpr): Value } {
  const values = new Map<string, string>();
  const value = (call: CallExpr): Value => {
    const all = source.value(call.args[0] as RefExpr);
    const isWhole = !subtracts(call) || all.type === 'null' || (source.ties.length === 0 && !source.isQuery);
    if (isWhole) return all;
    const sqlName = values.get(all.sql) ?? `first_${values.size}`;
    values.set(all.sql, sqlName);
    return { ...all, sql: sqlName };
  };
  plan.analysis.windows.forEach(value);
  const ties = tieOrder(plan, source.ties);
  const outputs = [...values].map(([sql, sqlName]) => {
    const group = [...keyNames(plan), 't', `(${sql} IS NULL)`].join(', ');
    const order = ties.length > 0 ? ` ORDER BY ${ties.join(', ')}` : '';
    return `CASE WHEN row_number() OVER (PARTITION BY ${group}${order}) = 1 THEN ${sql} END AS ${sqlName}`;
  });
  return { sql: outputs.length === 0 ? source.sql : `SELECT *, ${outputs.join(', ')} FROM (${source.sql})`, value };
}

/** Rows of windows that all have no value are dropped. */
function withoutEmpty(rows: Rows): Rows {
  const some = rows.columns.map(({ sqlName }) => `${sqlName} IS NOT NULL`).join(' OR ');
  return { ...rows, sql: `SELECT * FROM (${rows.sql}) WHERE ${some}` };
}

/** Time of rows that stand for many: the lower bound, else the epoch. */
function groupTime(plan: SelectPlan): string {
  return `CAST(${plan.range.low ?? 0n} AS BIGINT)`;
}

function distinctRows(plan: SelectPlan, source: SourceRows): Rows {
  const [call] = plan.analysis.calls;
  const value = source.value(call?.args[0] as RefExpr);
  const t = plan.bins === undefined ? groupTime(plan) : binSql(plan.bins, 't');
  const columns: RowColumn[] = [{ name: plan.fields[0]?.name ?? 'distinct', sqlName: 'c0', type: value.type }];
  const outputs = [...keyNames(plan), `${t} AS t`, `${value.sql} AS c0`];
  const known = `FROM (${source.sql}) WHERE ${value.sql} IS NOT NULL`;
  if (!plan.asV1) return { sql: `SELECT DISTINCT ${outputs.join(', ')} ${known}`, columns, ties: [] };
  // in InfluxDB 1 in the order in which they come
  const rows = `SELECT ${[...outputs, 't AS seen'].join(', ')} ${known}`;
  const groups = [...keyNames(plan), 't', 'c0'];
  return {
    sql: `SELECT ${groups.join(', ')}, ${plan.select.descending ? '-' : ''}min(seen) AS s0 FROM (${rows}) GROUP BY ${groups.join(', ')}`,
    columns,
    ties: ['s0'],
  };
}

interface Aggregates {
  readonly outputs: string[];
  readonly columns: FillColumn[];
  /** @param ownRange of the rows of the range only, where the scan reads more for windows */
  value(call: CallExpr, ownRange?: boolean): Value;
}

/** The aggregates of a group, one column each. */
function aggregated(plan: SelectPlan, source: SourceRows): Aggregates {
  const names = new Map<string, { readonly sqlName: string; readonly value: Value; readonly call: CallExpr }>();
  const keyOf = (call: CallExpr, ownRange: boolean): string => `${ownRange}:${printExpr(call)}`;
  for (const { call, ownRange } of wantedAggregates(plan)) {
    const key = keyOf(call, ownRange);
    if (names.has(key)) continue;
    const value = oneAggregate(ownRange ? rowsInRange(plan, source) : source, call);
    const isEmpty = call.name === 'count' && (ownRange || plan.emptyCounts !== 'zero') && value.type !== 'null';
    names.set(key, { sqlName: `a${names.size}`, value: isEmpty ? { ...value, sql: `nullif(${value.sql}, 0)` } : value, call });
  }
  const all = [...names.values()];
  return {
    outputs: all.map(({ sqlName, value }) => `${value.type === 'null' ? 'CAST(NULL AS DOUBLE)' : value.sql} AS ${sqlName}`),
    columns: all.map(({ sqlName, value, call }) => ({
      sqlName,
      type: value.type,
      emptyCount: call.name === 'count' ? plan.emptyCounts : undefined,
      isIntegral: call.name === 'integral',
    })),
    value(call, ownRange = false) {
      const found = names.get(keyOf(call, ownRange));
      return found === undefined || found.value.type === 'null' ? missing : { sql: found.sqlName, type: found.value.type };
    },
  };
}

function oneAggregate(source: SourceRows, call: CallExpr): Value {
  const [arg] = call.args;
  const ref = (arg?.kind === 'call' ? arg.args[0] : arg) as RefExpr;
  const value = source.value(ref);
  if (call.name === 'integral') return integralSql(call, value);
  return aggregateSql(call, { value, timeNs: 't' });
}

function groupBy(columns: readonly string[]): string {
  return columns.length > 0 ? ` GROUP BY ${columns.join(', ')}` : '';
}

function aggregateRows(plan: SelectPlan, source: SourceRows): Rows {
  const keys = keyNames(plan);
  const aggregates = aggregated(plan, source);
  const outputs = [...keys, ...aggregates.outputs, 'count(*) AS n'];
  const grouped = `SELECT ${outputs.join(', ')} FROM (${withAreas(plan, source)})${groupBy(keys)}`;
  return project(plan, refScope(source, aggregates.value), grouped, groupTime(plan), { rest: ' WHERE n > 0' });
}

/** One row a bin and series, filled, then windows over them. */
function binnedRows(plan: SelectPlan, source: SourceRows): Rows {
  const { bins, analysis } = plan;
  if (bins === undefined) throw new Error('internal error: no bins');
  const keys = keyNames(plan);
  const aggregates = aggregated(plan, source);
  const binned = `SELECT *, ${binSql(bins, 't')} AS bin FROM (${withAreas(plan, source)})`;
  const grouped = `SELECT ${[...keys, ...aggregates.outputs, 'bin AS t'].join(', ')} FROM (${binned})${groupBy([...keys, 'bin'])}`;
  const filled = fillBins(plan, grouped, aggregates.columns);
  if (plan.asV1) return binnedCalls(plan, source, filled, aggregates);
  const scope = refScope(source, (call) =>
    functionKind(call.name) === 'window' ? binnedWindow(plan, call, aggregates.value(call.args[0] as CallExpr)) : aggregates.value(call),
  );
  const rows = project(plan, scope, filled, 't');
  return analysis.windows.length === 0 ? rows : trimmed(plan, withoutEmpty(rows));
}

/** Filled bins as InfluxDB 1 shows them: aggregates have all bins of the range, windows those with a value. */
function binnedCalls(plan: SelectPlan, source: SourceRows, filled: string, aggregates: Aggregates): Rows {
  const { fill, fields, analysis } = plan;
  const isExtended = extendsRange(analysis.windows);
  const calls = fields
    .flatMap(({ expr }) => shownCalls(expr))
    .map((call): CallValue => {
      if (functionKind(call.name) === 'window') {
        const ownRange = isExtended && !extendsRange([call]);
        const inner = aggregates.value(call.args[0] as CallExpr, ownRange);
        const value = binnedWindow(plan, call, ownRange ? inBinsOfRange(plan, inner) : inner);
        return { call, value, present: `${value.sql} IS NOT NULL` };
      }
      const value = aggregates.value(call, isExtended);
      // one value has no standard deviation, but its row is there
      const hasAll = fill?.kind !== 'none' || call.name === 'stddev';
      return { call, value, present: hasAll ? (isExtended ? binInRange(plan) : 'true') : `${value.sql} IS NOT NULL` };
    });
  const rows = callRows(plan, filled, [], calls);
  return project(plan, refScope(source, rows.value), rows.sql, 't');
}

function binnedWindow(plan: SelectPlan, call: CallExpr, value: Value): Value {
  return windowSql(call, { value, keys: keyNames(plan), ties: [], descending: plan.select.descending, intervalNs: plan.bins?.intervalNs });
}

/** The extra bin is cut off again when its plain aggregates would show. */
function trimmed(plan: SelectPlan, rows: Rows): Rows {
  const { analysis } = plan;
  if (analysis.windows.length === analysis.calls.length || !extendsRange(analysis.windows)) return rows;
  return { ...rows, sql: `SELECT * FROM (${rows.sql}) WHERE ${binInRange(plan)}` };
}

/** `rows` (`g.., t` = bin, columns) with the empty bins of every series, by the FILL option. */
function fillBins(plan: SelectPlan, rows: string, columns: readonly FillColumn[]): string {
  const { bins, fill, analysis } = plan;
  const integralOnly = analysis.calls.length > 0 && analysis.calls.every((call) => call.name === 'integral');
  if (bins === undefined || fill?.kind === 'none' || integralOnly) return rows;
  const keys = keyNames(plan);
  const { low, high } = scanRange(plan);
  const grid = gridSql(bins, 'filled_from', keys, low, high ?? plan.highNs);
  const same = ['f.t = b.t', ...keys.map((key) => `f.${key} IS NOT DISTINCT FROM b.${key}`)].join(' AND ');
  const outputs = [...keys.map((key) => `b.${key}`), 'b.t', ...columns.map(({ sqlName }) => `f.${sqlName}`)];
  const joined = `SELECT ${outputs.join(', ')} FROM (${grid}) AS b LEFT JOIN filled_from AS f ON ${same}`;
  return `WITH filled_from AS MATERIALIZED (${rows}) ${filledSql(plan, joined, columns)}`;
}

/**
 * What a row must be to be chosen first. Of equal times `first` chooses the greatest value; `last` the last series of stored rows, and
 * the greatest value of those of a subquery. As in InfluxDB 1.
 */
function selectorOrder(call: CallExpr, value: string, isQuery: boolean): string {
  switch (call.name) {
    case 'first':
      return `t, ${value} DESC`;
    case 'last':
      return isQuery ? `t DESC, ${value} DESC` : 't DESC';
    case 'min':
      return `${value}, t`;
    case 'max':
      return `${value} DESC, t`;
    default:
      return `${value}, t`;
  }
}

/** The selected row of each group, with all its columns. */
function chosenRow(
  call: CallExpr,
  value: Value,
  { sql: from, ties, isQuery }: Pick<SourceRows, 'sql' | 'ties' | 'isQuery'>,
  partition: readonly string[],
): string {
  if (value.type === 'null' || value.type === 'tag') return `SELECT * FROM (${from}) WHERE false`;
  const by = partitionBy(partition);
  const known = `SELECT * FROM (${from}) WHERE ${value.sql} IS NOT NULL`;
  const series = ties.map((tag) => `${tag}${call.name === 'last' ? ' DESC NULLS LAST' : ' NULLS FIRST'}`);
  const order = `ORDER BY ${[selectorOrder(call, value.sql, isQuery), ...series].join(', ')}`;
  const number = `row_number() OVER (${by}${order})`;
  // one row of all is found without numbering them
  if (call.name !== 'percentile' && partition.length === 0) return `${known} ${order} LIMIT 1`;
  if (call.name !== 'percentile') return `${known} QUALIFY ${number} = 1`;
  const total = `count(*) OVER (${partition.length > 0 ? by.trim() : ''})`;
  const wanted = `CAST(floor(${total} * ${floatSql(numberArgument(call, 1))} / ${floatSql(100)} + 0.5) AS BIGINT)`;
  return `${known} QUALIFY ${number} = ${wanted} AND ${wanted} <= ${total}`;
}

function selectorRows(plan: SelectPlan, source: SourceRows): Rows {
  const call = plan.analysis.calls[0] as CallExpr;
  const value = source.value(call.args[0] as RefExpr);
  const chosen = chosenRow(call, value, source, keyNames(plan));
  return project(
    plan,
    refScope(source, () => value),
    chosen,
    't',
  );
}

function binnedSelectorRows(plan: SelectPlan, source: SourceRows): Rows {
  const { bins } = plan;
  if (bins === undefined) throw new Error('internal error: no bins');
  const call = plan.analysis.calls[0] as CallExpr;
  const value = source.value(call.args[0] as RefExpr);
  if (!plan.analysis.hasColumns) return binnedRows(plan, source);
  const keys = keyNames(plan);
  const binned = `SELECT *, ${binSql(bins, 't')} AS bin FROM (${withAreas(plan, source)})`;
  const chosen = chosenRow(call, value, { sql: binned, ties: source.ties, isQuery: source.isQuery }, [...keys, 'bin']);
  const rows = project(
    plan,
    refScope(source, () => value),
    chosen,
    'bin',
  );
  const columns: FillColumn[] = rows.columns.map(({ sqlName, type }) => ({ sqlName, type, emptyCount: undefined, isIntegral: false }));
  const filled = fillBins(plan, rows.sql, columns);
  const outputs = [...keys, 't', ...columns.map(({ sqlName }, i) => groupTagOf(plan, i) ?? sqlName)];
  return { ...rows, sql: `SELECT ${outputs.join(', ')} FROM (${filled})` };
}

/** A selected group tag has its value in filled bins too; not in InfluxDB 1. */
function groupTagOf(plan: SelectPlan, column: number): string | undefined {
  const expr = plan.fields[column]?.expr;
  const tag = plan.asV1 || expr?.kind !== 'ref' ? -1 : plan.tags.indexOf(expr.name);
  return tag < 0 ? undefined : `${keyNames(plan)[tag]} AS c${column}`;
}

function topRows(plan: SelectPlan, source: SourceRows): Rows {
  const call = plan.analysis.calls[0] as CallExpr;
  const [field, ...rest] = call.args as RefExpr[];
  const tags = rest.slice(0, -1);
  const value = source.value(field as RefExpr);
  const keys = keyNames(plan);
  const bin = plan.bins === undefined ? [] : [binSql(plan.bins, 't')];
  const order = `ORDER BY ${[`${value.sql}${call.name === 'top' ? ' DESC' : ''}`, 't', ...source.ties.map((tag) => `${tag} NULLS FIRST`)].join(', ')}`;
  const rank = (partition: readonly string[]): string => `row_number() OVER (${partitionBy(partition)}${order})`;
  let from = `SELECT * FROM (${source.sql}) WHERE ${value.type === 'null' || value.type === 'tag' ? 'false' : `${value.sql} IS NOT NULL`}`;
  if (tags.length > 0) from = `SELECT * FROM (${from}) QUALIFY ${rank([...keys, ...bin, ...tags.map((tag) => source.value(tag).sql)])} = 1`;
  const count = integerArgument(call, call.args.length - 1);
  const groups = [...keys, ...bin];
  const chosen = `SELECT * FROM (${from}) ${groups.length === 0 ? `${order} LIMIT ${count}` : `QUALIFY ${rank(groups)} <= ${count}`}`;
  return project(
    plan,
    refScope(source, () => value),
    chosen,
    't',
    source,
  );
}
