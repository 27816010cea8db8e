/** InfluxQL statements to engine SQL. */
import type { ExpectedColumn, ResultType } from '../../result.ts';
import type { CompiledSql } from '../../sql/index.ts';
import { quoteString } from '../../sql/types/quote.ts';
import type { GroupKey } from '../contract.ts';
import type { Select } from './ir.ts';
import { keyNames, type MeasurementRows, type SelectPlan, tieOrder } from './plan.ts';
import { type SelectRows, selectRows } from './select.ts';
import { CompileState, fillMarkers, type InfluxqlCompileContext } from './state.ts';
import { commonType, engineTypeName, resultType, storedType, type ValueType } from './types.ts';

/** A statement that can run, and what makes series of its rows. */
export interface CompiledInfluxql {
  readonly compiled: CompiledSql;
  readonly groupKey: GroupKey;
}

/** Where the series without a group tag come: first in InfluxDB 1, last in InfluxDB 3 Core. */
type EmptyTags = 'NULLS FIRST' | 'NULLS LAST';

export interface SelectOptions {
  readonly explain: CompiledSql['explain'];
  /** True = as InfluxDB 1 answers where InfluxDB 3 Core has another answer. */
  readonly asV1: boolean;
}

/** Compiles a SELECT. Throws planning errors. */
export function compileSelect(select: Select, context: InfluxqlCompileContext, { explain, asV1 }: SelectOptions): CompiledInfluxql {
  const state = new CompileState(context, asV1);
  const rows = selectRows(state, select);
  const { sql, output, groupKey } = united(rows, asV1 ? 'NULLS FIRST' : 'NULLS LAST');
  const print = (source: (useIndex: number) => string): string => fillMarkers(sql, source);
  return { compiled: { uses: state.uses, print, output, explain }, groupKey };
}

interface OutputColumn {
  readonly name: string;
  readonly type: ValueType;
}

/** All measurements in one result, sorted. */
function united(
  { plan, measurements }: SelectRows,
  emptyTags: EmptyTags,
): { sql: string; output: CompiledSql['output']; groupKey: GroupKey } {
  const columns = outputColumns(plan, measurements);
  // on /query the tags of a series are apart from its columns: a bin that is filled has the tag, but no value in the column
  const projected = new Set(plan.asV1 ? [] : plan.fields.map(({ name }) => name));
  const front = plan.tags.map((key, i) => ({ key, sqlName: keyNames(plan)[i] as string })).filter(({ key }) => !projected.has(key));
  const tieCount = Math.max(0, ...measurements.map(({ ties }) => ties.length));
  const parts = measurements.map((rows) => onePart(plan, rows, { columns, front, tieCount }));
  const zone = plan.select.zone;
  const timeType: ResultType = { kind: 'timestamp', zone };
  const output: ExpectedColumn[] = [
    { name: 'iox::measurement', type: { kind: 'string', dictionary: true }, stored: 'tag', required: true },
    { name: plan.timeName, type: timeType, stored: 'time' },
    ...front.map(({ key }): ExpectedColumn => ({ name: key, type: { kind: 'string', dictionary: true }, stored: 'tag' })),
    ...columns.map(({ name, type }) => ({ name, type: resultType(type), stored: storedType(type) })),
  ];
  const empty = `SELECT ${output.map((_, i) => `CAST(NULL AS ${i === 1 ? 'TIMESTAMP_NS' : 'VARCHAR'}) AS o${i}`).join(', ')} WHERE false`;
  const tagColumns = plan.tags.map((key) => ({
    key,
    columnIndex: output.findIndex(({ name }, i) => i >= 2 && name === key),
    projected: projected.has(key),
  }));
  return {
    sql: parts.length === 0 ? empty : sorted(plan, parts, columns, { frontCount: front.length, tieCount, emptyTags }),
    output,
    groupKey: { measurementColumn: 0, tagColumns },
  };
}

/** Types that hold the values of all measurements. */
function outputColumns(plan: SelectPlan, measurements: readonly MeasurementRows[]): OutputColumn[] {
  return plan.fields.map(({ name }, i) => {
    let type: ValueType = 'null';
    for (const { columns } of measurements) type = commonType(type, columns[i]?.type ?? 'null') ?? type;
    return { name, type };
  });
}

interface PartShape {
  readonly columns: readonly OutputColumn[];
  /** Group tags that are shown in front of the columns. */
  readonly front: readonly { readonly sqlName: string }[];
  readonly tieCount: number;
}

function onePart(
  plan: SelectPlan,
  { measurement, sql, columns, ties }: MeasurementRows,
  { columns: output, front, tieCount }: PartShape,
): string {
  const values = output.map(({ type }, i) => {
    const column = columns[i];
    const fits = column !== undefined && column.type !== 'null' && commonType(type, column.type) === type;
    const target = engineTypeName(type);
    if (!fits) return `CAST(NULL AS ${target}) AS c${i}`;
    return column.type === type ? `${column.sqlName} AS c${i}` : `CAST(${column.sqlName} AS ${target}) AS c${i}`;
  });
  const keys = keyNames(plan);
  const hiddenKeys = keys.filter((key) => !front.some(({ sqlName }) => sqlName === key));
  const outputs = [
    `${quoteString(measurement)} AS m`,
    'make_timestamp_ns(t) AS "time"',
    ...front.map(({ sqlName }) => sqlName),
    ...values,
    ...hiddenKeys,
    // measurements with fewer tags have none to compare
    ...Array.from({ length: tieCount }, (_, i) => `${ties[i] ?? 'CAST(NULL AS VARCHAR)'} AS s${i}`),
  ];
  return `SELECT ${outputs.join(', ')} FROM (${sql})`;
}

function sorted(
  plan: SelectPlan,
  parts: readonly string[],
  columns: readonly OutputColumn[],
  shape: { readonly frontCount: number; readonly tieCount: number; readonly emptyTags: EmptyTags },
): string {
  const keys = keyNames(plan);
  const { frontCount, tieCount, emptyTags } = shape;
  const ties = Array.from({ length: tieCount }, (_, i) => `s${i}`);
  const selectedTags = columns.flatMap(({ type }, i) => (type === 'tag' ? [`c${i} NULLS LAST`] : []));
  const order = [
    ...seriesOrder(plan, keys, { emptyTags, severalMeasurements: parts.length > 1 }),
    `"time"${plan.select.descending ? ' DESC' : ''}`,
    ...tieOrder(plan, ties),
    ...selectedTags,
    ...(plan.analysis.kind === 'distinct' ? ['c0'] : []),
  ];
  const projectedKeys = keys.length - frontCount;
  const rows = parts.join(' UNION ALL ');
  const hidden = [...(projectedKeys === 0 ? [] : hiddenKeyNames(plan, columns)), ...ties];
  const visible = hidden.length === 0 ? '*' : `* EXCLUDE (${hidden.join(', ')})`;
  return `SELECT ${visible} FROM (${rows})${seriesCondition(plan, keys, emptyTags)} ORDER BY ${order.join(', ')}`;
}

/** Series by measurement and group tags; in InfluxDB 1 backwards when time descends. */
function seriesOrder(
  plan: SelectPlan,
  keys: readonly string[],
  { emptyTags, severalMeasurements }: { readonly emptyTags: EmptyTags; readonly severalMeasurements: boolean },
): string[] {
  const isBackwards = plan.asV1 && plan.select.descending;
  const way = isBackwards ? 'DESC NULLS LAST' : emptyTags;
  return [...(severalMeasurements ? [`m${isBackwards ? ' DESC' : ''}`] : []), ...keys.map((key) => `${key} ${way}`)];
}

/** SLIMIT and SOFFSET count series: measurements with their group tags, in the order in which they are shown when time ascends. */
function seriesCondition(plan: SelectPlan, keys: readonly string[], emptyTags: EmptyTags): string {
  const { seriesLimit } = plan.select;
  if (seriesLimit === undefined) return '';
  const { limit, offset = 0n } = seriesLimit;
  const number = `dense_rank() OVER (ORDER BY ${['m', ...keys.map((key) => `${key} ${emptyTags}`)].join(', ')})`;
  return ` QUALIFY ${number} > ${offset}${limit === undefined ? '' : ` AND ${number} <= ${offset + limit}`}`;
}

function hiddenKeyNames(plan: SelectPlan, columns: readonly OutputColumn[]): string[] {
  const projected = new Set(columns.map(({ name }) => name));
  return keyNames(plan).filter((_, i) => projected.has(plan.tags[i] as string));
}
