/** Functions that make one value of many. */
import { SECOND_NS } from '../../../shared/time-units.ts';
import { wideSpread } from '../../sql/functions/wide-statistics.ts';
import { durationArgument, integerArgument, numberArgument } from './functions.ts';
import type { CallExpr } from './ir.ts';
import { asFloat, floatSql, isNumeric, missing, type Value, type ValueType, wrapped } from './types.ts';

/** Names that aggregates read: the value column and the time of the row. */
export interface AggregateInput {
  readonly value: Value;
  readonly timeNs: string;
}

/** An aggregate over a group; a tag or a missing column gives NULL. */
export function aggregateSql(call: CallExpr, { value, timeNs }: AggregateInput): Value {
  const { sql, type } = value;
  if (type === 'null' || type === 'tag') return missing;
  switch (call.name) {
    case 'count': {
      const [arg] = call.args;
      return { sql: arg?.kind === 'call' ? `count(DISTINCT ${sql})` : `count(${sql})`, type: 'integer' };
    }
    case 'min':
    case 'max':
      return { sql: `${call.name}(${sql})`, type };
    case 'first':
      return { sql: `arg_max(${sql}, struct_pack(a := -(${timeNs}), b := ${sql}))`, type };
    case 'last':
      return { sql: `arg_max(${sql}, struct_pack(a := ${timeNs}, b := ${sql}))`, type };
    case 'mode':
      return { sql: `mode(${sql} ORDER BY ${timeNs}, ${sql})`, type };
    case 'percentile':
      return percentile(sql, numberArgument(call, 1), type);
    default:
      return isNumeric(type) ? numericAggregate(call.name, sql, type) : missing;
  }
}

function numericAggregate(name: string, sql: string, type: 'float' | 'integer' | 'unsigned'): Value {
  switch (name) {
    case 'sum':
      return { sql: type === 'float' ? `sum(${sql})` : wrapped(`sum(${sql})`, type), type };
    case 'mean':
      return { sql: `avg(${sql})`, type: 'float' };
    case 'median':
      if (type === 'float') return { sql: `median(${sql})`, type };
      return { sql: `CAST((${middles(sql)}) // 2 AS ${type === 'integer' ? 'BIGINT' : 'UBIGINT'})`, type };
    case 'spread':
      return { sql: type === 'float' ? `(max(${sql}) - min(${sql}))` : wrapped(`max(${sql})::HUGEINT - min(${sql})::HUGEINT`, type), type };
    case 'stddev':
      return { sql: wideSpread('stddev_samp', asFloat({ sql, type }), (fn, args) => `${fn}(${args.join(', ')})`), type: 'float' };
    default:
      return missing;
  }
}

/** The sum of the two values in the middle, exact: a double holds 53 bits only. */
function middles(sql: string): string {
  return `CAST(quantile_disc(${sql}, 0.5) AS HUGEINT) - quantile_disc(-CAST(${sql} AS HUGEINT), 0.5)`;
}

/** Element `floor(n*p/100+0.5)` of the sorted values, NULL outside. */
function percentile(sql: string, percent: number, type: ValueType): Value {
  const position = `CAST(floor(count(${sql}) * ${floatSql(percent)} / ${floatSql(100)} + 0.5) AS BIGINT)`;
  return { sql: `(CASE WHEN ${position} > 0 THEN list_sort(list(${sql}) FILTER (WHERE ${sql} IS NOT NULL))[${position}] END)`, type };
}

/** A function over ordered rows of one series; NULL values are skipped. */
export interface WindowInput {
  readonly value: Value;
  readonly keys: readonly string[];
  /** `ORDER BY` items for rows of equal times. */
  readonly ties: readonly string[];
  readonly descending: boolean;
  /** Length of the bins that the rows stand for; undefined = plain rows. */
  readonly intervalNs: bigint | undefined;
}

/**
 * DuckDB SQL of a function over the rows of a series in the order of time (`elapsed`, `difference`, `derivative`, moving
 * and cumulative ones). Null where the argument is null; missing for tags.
 */
export function windowSql(call: CallExpr, input: WindowInput): Value {
  const { value } = input;
  const { sql, type } = value;
  if (type === 'null' || type === 'tag') return missing;
  // rows without a value are a partition of their own: the neighbours of a value are values
  const over = `PARTITION BY ${[...input.keys, `(${sql} IS NULL)`].join(', ')} ORDER BY ${[`t${input.descending ? ' DESC' : ''}`, ...input.ties].join(', ')}`;
  const unitDefault = input.intervalNs ?? SECOND_NS;
  const onlyWithValue = (text: string, of: ValueType): Value => ({ sql: `(CASE WHEN ${sql} IS NOT NULL THEN ${text} END)`, type: of });
  const elapsedNs = `(t - lag(t) OVER (${over}))`;
  if (call.name === 'elapsed') return onlyWithValue(`${elapsedNs} // ${durationArgument(call, 1) ?? 1n}`, 'integer');
  if (!isNumeric(type)) return missing;
  const previous = `lag(${sql}) OVER (${over})`;
  const change = type === 'float' ? `(${sql} - ${previous})` : wrapped(`${sql}::HUGEINT - (${previous})::HUGEINT`, type);
  const floatChange = `(${asFloat(value)} - ${`lag(${asFloat(value)}) OVER (${over})`})`;
  const unit = floatSql(Number(durationArgument(call, 1) ?? unitDefault));
  switch (call.name) {
    case 'difference':
      return onlyWithValue(change, type);
    case 'non_negative_difference':
      return onlyWithValue(`CASE WHEN ${sql} >= ${previous} THEN ${change} END`, type);
    case 'derivative':
      return onlyWithValue(`${floatChange} / (${elapsedNs} / ${unit})`, 'float');
    case 'non_negative_derivative':
      return onlyWithValue(
        `CASE WHEN ${floatChange} / (${elapsedNs} / ${unit}) >= 0 THEN ${floatChange} / (${elapsedNs} / ${unit}) END`,
        'float',
      );
    case 'cumulative_sum': {
      const sum = `sum(${sql}) OVER (${over} ROWS UNBOUNDED PRECEDING)`;
      return onlyWithValue(type === 'float' ? sum : wrapped(sum, type), type);
    }
    default: {
      const rows = integerArgument(call, 1);
      const frame = `OVER (${over} ROWS BETWEEN ${rows - 1n} PRECEDING AND CURRENT ROW)`;
      return onlyWithValue(`CASE WHEN count(${sql}) ${frame} = ${rows} THEN avg(${asFloat(value)}) ${frame} END`, 'float');
    }
  }
}

/** True for windows that take a value from the one before it. */
export function subtracts({ name }: CallExpr): boolean {
  return name.endsWith('difference') || name.endsWith('derivative');
}

/** Windows whose first value needs the bin before the range. */
const looksBack: ReadonlySet<string> = new Set([
  'difference',
  'non_negative_difference',
  'derivative',
  'non_negative_derivative',
  'moving_average',
  'elapsed',
]);

/** True when the range and the bins are extended by one interval. */
export function extendsRange(windows: readonly CallExpr[]): boolean {
  return windows.some((call) => looksBack.has(call.name));
}
