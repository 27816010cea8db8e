/** Rows of aggregates and windows as InfluxDB 1 makes them: each call has rows of its own, and a row of the answer is there while one of them is. */
import { fillConstant } from './fill.ts';
import type { CallExpr } from './ir.ts';
import { keyNames, partitionBy, rowOrder, type SelectPlan } from './plan.ts';
import { printExpr } from './print-expr.ts';
import { missing, type Value } from './types.ts';

/** The value of a call, and the condition under which its row is there; both over the columns of the rows it is computed from. */
export interface CallValue {
  readonly call: CallExpr;
  readonly value: Value;
  readonly present: string;
}

/** `SELECT g.., t, s.., l0..`, in which LIMIT and OFFSET have been applied to the rows of each call. */
export interface CallRows {
  readonly sql: string;
  value(call: CallExpr): Value;
}

/** @param from rows with `g.., t, s..` and what the values are computed from */
export function callRows(plan: SelectPlan, from: string, ties: readonly string[], calls: readonly CallValue[]): CallRows {
  const named = new Map<string, NamedCall>();
  for (const each of calls) {
    const i = named.size;
    const key = printExpr(each.call);
    if (!named.has(key)) named.set(key, { ...each, sqlName: `l${i}`, presentName: `p${i}` });
  }
  const all = [...named.values()];
  const front = [...keyNames(plan), 't', ...ties];
  const outputs = all.flatMap(({ value, present, sqlName, presentName }) => [
    `${value.type === 'null' ? 'CAST(NULL AS DOUBLE)' : value.sql} AS ${sqlName}`,
    `(${present}) AS ${presentName}`,
  ]);
  const rows = limitedEach(plan, `SELECT ${[...front, ...outputs].join(', ')} FROM (${from})`, front, all);
  const shown = all.map((each) => `${shownValue(plan, each)} AS ${each.sqlName}`);
  return {
    sql: `SELECT ${[...front, ...shown].join(', ')} FROM (${rows}) WHERE ${all.map(({ presentName }) => presentName).join(' OR ')}`,
    value(call) {
      const found = named.get(printExpr(call));
      return found === undefined || found.value.type === 'null' ? missing : { sql: found.sqlName, type: found.value.type };
    },
  };
}

interface NamedCall extends CallValue {
  readonly sqlName: string;
  readonly presentName: string;
}

function limitedEach(plan: SelectPlan, rows: string, front: readonly string[], calls: readonly NamedCall[]): string {
  const { limit, offset = 0n } = plan.select;
  if (limit === undefined && offset === 0n) return rows;
  const keys = keyNames(plan);
  const order = rowOrder(plan, front.slice(keys.length + 1));
  const over = `OVER (${partitionBy(keys)}ORDER BY ${order} ROWS UNBOUNDED PRECEDING)`;
  const counts = calls.map(({ presentName }) => `count(*) FILTER (WHERE ${presentName}) ${over} AS n_${presentName}`);
  const outputs = calls.flatMap(({ sqlName, presentName }) => {
    const number = `n_${presentName}`;
    return [
      sqlName,
      `(${presentName} AND ${number} > ${offset}${limit === undefined ? '' : ` AND ${number} <= ${offset + limit}`}) AS ${presentName}`,
    ];
  });
  return `SELECT ${[...front, ...outputs].join(', ')} FROM (SELECT *, ${counts.join(', ')} FROM (${rows}))`;
}

/** FILL also stands for the calls that have no row where another one has one. */
function shownValue(plan: SelectPlan, { value, sqlName, presentName, present }: NamedCall): string {
  const { fill, bins } = plan;
  const { limit, offset } = plan.select;
  if (present === 'true' && limit === undefined && offset === undefined) return sqlName;
  const own = `CASE WHEN ${presentName} THEN ${sqlName}`;
  if (bins === undefined || fill?.kind !== 'previous') return `${own} ELSE ${fillConstant(plan, value.type) ?? 'NULL'} END`;
  const keys = keyNames(plan);
  const before = `OVER (${partitionBy(keys)}ORDER BY t ROWS UNBOUNDED PRECEDING)`;
  return `${own} ELSE last_value(${own} END IGNORE NULLS) ${before} END`;
}
