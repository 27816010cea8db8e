/** Resolves the names of a SELECT and makes the rows of its measurements. */
import { analyze, checkLimit } from './analyze.ts';
import type { Bins } from './bins.ts';
import { notImplemented, planError } from './errors.ts';
import { byCodePoint, expandFields, type NamedField } from './expand.ts';
import type { Expr, Fill, Select, Source } from './ir.ts';
import { limited } from './limit.ts';
import { measurementRows } from './measurement.ts';
import { namePattern } from './name-pattern.ts';
import { type EmptyCounts, keyNames, type MeasurementRows, type SelectPlan } from './plan.ts';
import { queryRows, type Rowset, tableRows } from './rowset.ts';
import { type CompileState, intersect, type TimeRange } from './state.ts';
import { foldOffset, splitCondition } from './time-range.ts';
import { commonType, type ValueType } from './types.ts';
import { refsIn } from './values.ts';

/** The rows of a SELECT, one entry for each measurement, by name. */
export interface SelectRows {
  readonly plan: SelectPlan;
  /** Those of the plan's group tags that its own GROUP BY names. */
  readonly ownTags: readonly string[];
  readonly measurements: readonly MeasurementRows[];
}

/** What an enclosing SELECT gives its subqueries. */
interface Enclosing {
  readonly range: TimeRange;
  /** Of its bins and groups; none where InfluxDB 3 Core answers, which groups a subquery by its own GROUP BY only. */
  readonly bins: Pick<Bins, 'intervalNs' | 'offsetNs'> | undefined;
  readonly tags: readonly string[];
}

/** @param outer absent = this is no subquery */
export function selectRows(state: CompileState, select: Select, outer?: Enclosing): SelectRows {
  checkLimit('slimit', select.seriesLimit?.limit);
  checkLimit('soffset', select.seriesLimit?.offset);
  checkLimit('limit', select.limit);
  checkLimit('offset', select.offset);
  const { range: own, filter } = splitCondition(select.where, { nowNs: state.nowNs, zone: select.zone });
  const inner = outer !== undefined;
  const range = outer === undefined ? own : intersect(own, outer.range);
  const ownBins = timeBins(state, select);
  const inherited = outer?.bins === undefined ? undefined : { ...outer.bins, zone: select.zone };
  const groups = ownBins ?? inherited;
  const inheritedTags = state.asV1
    ? [...(outer?.tags ?? []), ...select.dimensions.flatMap((each) => (each.kind === 'tag' ? [each.name] : []))]
    : [];
  const rowsets = resolveSources(state, select.sources, { range, bins: state.asV1 ? groups : undefined, tags: inheritedTags });
  const types = columnTypes(rowsets);
  const ownTags = groupTags(select, types);
  const tags = [...new Set([...ownTags, ...(outer?.tags ?? [])])].sort(byCodePoint);
  const hidden = new Set(hidesAllTags(select) ? [...types].filter(([, type]) => type === 'tag').map(([name]) => name) : ownTags);
  const { fields, timeName } = selectedFields(select, types, hidden);
  const analysis = analyze(fields, { own: ownBins !== undefined, inherited: inherited !== undefined }, select.fill);
  const bins = ownBins ?? (analysis.calls.length > 0 ? inherited : undefined);
  const fill: Fill | undefined = select.fill ?? (inner ? { kind: 'none' } : undefined);
  const highNs = range.high ?? state.nowNs;
  const emptyCounts = emptyCountsOf(state, fields, inner && fill?.kind === 'null');
  const { asV1 } = state;
  const plan: SelectPlan = { select, rowsets, range, highNs, filter, fields, analysis, bins, tags, fill, emptyCounts, asV1, timeName };
  const measurements = plan.rowsets.flatMap((rowset) => {
    const rows = measurementRows(plan, rowset);
    return rows === undefined ? [] : [limited(plan, rows)];
  });
  return { plan, ownTags, measurements: inner ? measurements.map((rows) => chosenSeries(plan, rows, measurements.length)) : measurements };
}

/** Of one field alone, a series without it is not there at all. */
function emptyCountsOf(state: CompileState, fields: readonly NamedField[], isNullInside: boolean): EmptyCounts {
  if (!state.asV1) return 'zero';
  if (isNullInside) return 'nothing';
  return new Set(fields.flatMap(({ expr }) => refsIn(expr).map(({ name }) => name))).size > 1 ? 'zero beside others' : 'zero';
}

/** SLIMIT and SOFFSET of a subquery: its series, in the order of their group tags. */
function chosenSeries(plan: SelectPlan, rows: MeasurementRows, measurementCount: number): MeasurementRows {
  const { seriesLimit } = plan.select;
  if (seriesLimit === undefined) return rows;
  if (measurementCount > 1) throw notImplemented('SLIMIT or SOFFSET in a subquery of several measurements');
  const { limit, offset = 0n } = seriesLimit;
  const keys = keyNames(plan).map((key) => `${key} NULLS FIRST`);
  const number = keys.length === 0 ? '1' : `dense_rank() OVER (ORDER BY ${keys.join(', ')})`;
  const wanted = `number > ${offset}${limit === undefined ? '' : ` AND number <= ${offset + limit}`}`;
  return { ...rows, sql: `SELECT * EXCLUDE (number) FROM (SELECT *, ${number} AS number FROM (${rows.sql})) WHERE ${wanted}` };
}

/** Measurements by name; several sources may name one. */
function resolveSources(state: CompileState, sources: readonly Source[], enclosing: Enclosing): Rowset[] {
  const rowsets: Rowset[] = [];
  const tables = new Set<string>();
  for (const source of sources) {
    if (source.kind === 'subquery') rowsets.push(...subquery(state, source.select, enclosing));
    else for (const name of measurementNames(state, source)) tables.add(name);
  }
  for (const name of tables) {
    const relation = state.context.measurement(name);
    if (relation !== undefined) rowsets.push(tableRows(state, relation));
  }
  return rowsets.sort((a, b) => byCodePoint(a.measurement, b.measurement));
}

/** Names that a source of the catalog stands for. */
export function measurementNames(state: CompileState, source: Exclude<Source, { kind: 'subquery' }>): string[] {
  if (source.kind === 'measurement') return [source.name];
  const pattern = namePattern(source.source);
  return state.context.measurements().filter((name) => pattern.test(name));
}

function subquery(state: CompileState, select: Select, enclosing: Enclosing): Rowset[] {
  const { plan, ownTags, measurements } = selectRows(state, select, enclosing);
  const keys = keyNames(plan);
  const hasOwnBins = select.dimensions.some(({ kind }) => kind === 'time');
  const sharedBins = hasOwnBins ? undefined : (plan.bins ?? plan.rowsets.find((rowset) => rowset.sharedBins !== undefined)?.sharedBins);
  return measurements.map(({ measurement, sql, columns, ties, tieTags }) => {
    const named = new Map<string, { sqlName: string; type: ValueType }>();
    // rows of the source keep the tags of their series, which can be grouped by and compared, but are in no wildcard; as in InfluxDB 1
    const hidden = new Map(tieTags.map((tag, i) => [tag, { sqlName: ties[i] as string, type: 'tag' as const }]));
    plan.tags.forEach((tag, i) => {
      const key = { sqlName: keys[i] as string, type: 'tag' } as const;
      if (ownTags.includes(tag)) named.set(tag, key);
      else hidden.set(tag, key);
    });
    for (const { name, sqlName, type } of columns) if (!named.has(name)) named.set(name, { sqlName, type });
    return queryRows(state, measurement, sql, { shown: named, hidden, sharedBins });
  });
}

/** Columns of all measurements with the type that holds them all. */
function columnTypes(rowsets: readonly Rowset[]): Map<string, ValueType> {
  const types = new Map<string, ValueType>();
  for (const { columns } of rowsets) {
    for (const [name, type] of columns) {
      const known = types.get(name);
      if (known !== undefined && (known === 'tag') !== (type === 'tag')) {
        throw planError(`cannot mix tag and field columns with the same name: ${name}`);
      }
      types.set(name, known === undefined ? type : (commonType(known, type) ?? known));
    }
  }
  return types;
}

function hidesAllTags(select: Select): boolean {
  return select.dimensions.some(({ kind }) => kind === 'wildcard' || kind === 'regex');
}

function groupTags(select: Select, types: ReadonlyMap<string, ValueType>): string[] {
  const tags = new Set<string>();
  const all = [...types].filter(([, type]) => type === 'tag').map(([name]) => name);
  for (const dimension of select.dimensions) {
    if (dimension.kind === 'tag') tags.add(dimension.name);
    else if (dimension.kind === 'wildcard') for (const name of all) tags.add(name);
    else if (dimension.kind === 'regex') {
      const pattern = namePattern(dimension.source);
      for (const name of all) if (pattern.test(name)) tags.add(name);
    }
  }
  return [...tags].sort(byCodePoint);
}

function timeBins(state: CompileState, select: Select): Bins | undefined {
  const found = select.dimensions.find((dimension) => dimension.kind === 'time');
  if (found?.kind !== 'time') return undefined;
  if (found.intervalNs <= 0n) throw planError('GROUP BY time interval must be positive');
  const folding = { nowNs: state.nowNs, zone: select.zone };
  const offsetNs = found.offset === undefined ? 0n : foldOffset(found.offset, folding);
  if (offsetNs === undefined) throw planError('invalid offset for GROUP BY time');
  return { intervalNs: found.intervalNs, offsetNs, zone: select.zone };
}

/** `time` is there anyway; an alias renames it. Tags that `top` is called with become columns. */
function selectedFields(
  select: Select,
  types: ReadonlyMap<string, ValueType>,
  hidden: ReadonlySet<string>,
): { fields: NamedField[]; timeName: string } {
  const isTime = (expr: Expr): boolean => expr.kind === 'ref' && expr.name === 'time';
  const timeName = select.fields.find(({ expr, alias }) => isTime(expr) && alias !== undefined)?.alias ?? 'time';
  const wanted = select.fields
    .filter(({ expr }) => !isTime(expr))
    .flatMap((field) => [field, ...topTags(field.expr).map((expr) => ({ expr, alias: undefined }))]);
  return { fields: expandFields(wanted, { columns: types, groupTags: hidden }), timeName };
}

function topTags(expr: Expr): Expr[] {
  if (expr.kind !== 'call' || (expr.name !== 'top' && expr.name !== 'bottom')) return [];
  return expr.args.slice(1, -1).filter((arg) => refsIn(arg).length > 0);
}
