/** Empty bins. */
import { type EmptyCounts, keyNames, partitionBy, type SelectPlan } from './plan.ts';
import { engineTypeName, floatSql, integerSql, isNumeric, type ValueType } from './types.ts';

/** A column of the rows to fill. */
export interface FillColumn {
  readonly sqlName: string;
  readonly type: ValueType;
  /** What an empty bin counts; undefined = the column is no count. */
  readonly emptyCount: EmptyCounts | undefined;
  /** Not filled by lines. */
  readonly isIntegral: boolean;
}

/** A constant in the column's type; undefined when it has none. InfluxDB 1 has one for what is no number too. */
export function fillConstant({ fill, asV1 }: Pick<SelectPlan, 'fill' | 'asV1'>, type: ValueType): string | undefined {
  if (fill?.kind !== 'number') return undefined;
  if (asV1 && (type === 'boolean' || type === 'string')) return type === 'boolean' ? 'false' : "''";
  if (!isNumeric(type)) return undefined;
  const { value } = fill.value;
  if (type === 'float') return floatSql(Number(value));
  const whole = typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
  if (type === 'integer') return integerSql(BigInt.asIntN(64, whole));
  return whole < 0n ? 'CAST(0 AS UBIGINT)' : `CAST('${whole}' AS UBIGINT)`;
}

/** `SELECT g.., t, column..` over `rows` (one row a bin, empty ones with NULL). */
export function filledSql(plan: SelectPlan, rows: string, columns: readonly FillColumn[]): string {
  const keys = keyNames(plan);
  const partition = partitionBy(keys);
  const outputs = columns.map((column) => `${filled(plan, column, partition)} AS ${column.sqlName}`);
  return `SELECT ${[...keys, 't', ...outputs].join(', ')} FROM (${rows})`;
}

function filled(plan: SelectPlan, { sqlName, type, emptyCount, isIntegral }: FillColumn, partition: string): string {
  const { fill } = plan;
  if (fill === undefined || fill.kind === 'null') {
    if (emptyCount === 'zero') return `coalesce(${sqlName}, 0)`;
    return emptyCount === 'zero beside others'
      ? `CASE WHEN count(${sqlName}) OVER (${partition.trim()}) > 0 THEN coalesce(${sqlName}, 0) END`
      : sqlName;
  }
  if (fill.kind === 'number') {
    const constant = fillConstant(plan, type);
    return constant === undefined ? sqlName : `coalesce(${sqlName}, ${constant})`;
  }
  if (fill.kind === 'previous') return `last_value(${sqlName} IGNORE NULLS) OVER (${partition}ORDER BY t ROWS UNBOUNDED PRECEDING)`;
  if (fill.kind === 'linear' && isNumeric(type) && !isIntegral) return linear(sqlName, type, partition);
  return sqlName;
}

function linear(name: string, type: ValueType, partition: string): string {
  const known = (what: string): string => `CASE WHEN ${name} IS NOT NULL THEN ${what} END`;
  const before = (what: string): string =>
    `last_value(${known(what)} IGNORE NULLS) OVER (${partition}ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)`;
  const after = (what: string): string =>
    `first_value(${known(what)} IGNORE NULLS) OVER (${partition}ORDER BY t ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)`;
  const value = `CAST(${name} AS DOUBLE)`;
  const between = `(${after(value)} - ${before(value)}) / CAST(${after('t')} - ${before('t')} AS DOUBLE) * CAST(t - ${before('t')} AS DOUBLE) + ${before(value)}`;
  const typed = type === 'float' ? `(${between})` : `TRY_CAST(trunc(${between}) AS ${engineTypeName(type)})`;
  return `coalesce(${name}, ${typed})`;
}
