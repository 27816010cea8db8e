/** The rows that a SELECT reads of one measurement. */
import { asEmptyTag, conditionSql } from './condition.ts';
import { byCodePoint } from './expand.ts';
import type { Expr, RefExpr } from './ir.ts';
import { keyNames, type SelectPlan } from './plan.ts';
import type { Rowset } from './rowset.ts';
import type { TimeRange } from './state.ts';
import { missing, type Value } from './types.ts';
import { refsIn } from './values.ts';

/** `SELECT g0.., t, v0..` of the rows that pass the conditions. */
export interface SourceRows {
  readonly sql: string;
  /** Columns with the tags of the series that are no group tags, by name; none where rows stand for many. */
  readonly ties: readonly string[];
  /** The tag of each of them. */
  readonly tieTags: readonly string[];
  /** True for the rows of a subquery. */
  readonly isQuery: boolean;
  /** The value of a column in these rows. */
  value(ref: RefExpr): Value;
}

/**
 * Undefined when the measurement has none of the fields. A row counts when at least one of the fields has a value
 *.
 */
export function sourceRows(plan: SelectPlan, rowset: Rowset, range: TimeRange): SourceRows | undefined {
  const open = rowset.open(range);
  const names = new Map<string, { readonly ref: RefExpr; readonly sqlName: string; readonly value: Value }>();
  for (const ref of plan.fields.flatMap(({ expr }: { expr: Expr }) => refsIn(expr))) {
    const key = keyOf(ref);
    if (!names.has(key)) names.set(key, { ref, sqlName: `v${names.size}`, value: open.column(ref) });
  }
  const fields = [...names.values()].filter(({ value }) => value.type !== 'tag' && value.type !== 'null');
  if (fields.length === 0) return undefined;
  const keys = keyNames(plan).map((name, i) => {
    const tag = open.column({ kind: 'ref', name: plan.tags[i] as string, cast: undefined });
    return `${tag.type === 'tag' ? tag.sql : 'CAST(NULL AS VARCHAR)'} AS ${name}`;
  });
  const tieTags = showsRows(plan, rowset) ? otherTags(plan, rowset) : [];
  const ties = tieTags.map((tag, i) => `${open.column({ kind: 'ref', name: tag, cast: undefined }).sql} AS s${i}`);
  const conditions = [...open.within(range), `(${fields.map(({ value }) => `${value.sql} IS NOT NULL`).join(' OR ')})`];
  if (plan.filter !== undefined) {
    const column = (ref: RefExpr): Value => (plan.asV1 ? asEmptyTag(open.column(ref), ref) : open.column(ref));
    conditions.push(conditionSql(plan.filter, { timeNs: open.timeNs, column }));
  }
  const values = [...names.values()].filter(({ value }) => value.type !== 'null').map(({ value, sqlName }) => `${value.sql} AS ${sqlName}`);
  const outputs = [...keys, `${open.timeNs} AS t`, ...ties, ...values];
  return {
    sql: `SELECT ${outputs.join(', ')} FROM ${open.from} WHERE ${conditions.join(' AND ')}`,
    ties: ties.map((_, i) => `s${i}`),
    tieTags,
    isQuery: rowset.isQuery,
    value(ref) {
      const found = names.get(keyOf(ref));
      return found === undefined || found.value.type === 'null' ? missing : { sql: found.sqlName, type: found.value.type };
    },
  };
}

/**
 * Whether rows of the answer are rows of the source, or chosen among them by their series too. Reading all tags costs more than the rest of a short
 * statement: the value and time that `min`, `max`, `first` and `percentile` choose do not depend on the series.
 */
function showsRows({ analysis, bins }: SelectPlan, { isQuery }: Rowset): boolean {
  const { calls, hasColumns, kind } = analysis;
  if (kind === 'selector') return hasColumns || (bins === undefined && calls[0]?.name === 'last' && !isQuery);
  return kind === 'raw' || kind === 'top';
}

function otherTags(plan: SelectPlan, { columns, hiddenTags }: Rowset): string[] {
  const shown = [...columns].filter(([, type]) => type === 'tag').map(([name]) => name);
  return [...shown, ...hiddenTags].filter((name) => !plan.tags.includes(name)).sort(byCodePoint);
}

function keyOf({ name, cast }: RefExpr): string {
  return `${cast ?? ''}:${name}`;
}
