/** Where rows come from: a table or a subquery. */

import { physicalNames, type RelationInfo } from '../../sql/index.ts';
import { quoteIdent, timestampLiteral } from '../../sql/types/quote.ts';
import { type Bins, binSql } from './bins.ts';
import type { RefExpr } from './ir.ts';
import type { CompileState, TimeRange } from './state.ts';
import { castValue, integerSql, missing, type Value, type ValueType, valueType } from './types.ts';

/** One use of a source, being printed. */
export interface OpenRows {
  /** For FROM, with an alias. */
  readonly from: string;
  /** BIGINT nanoseconds. */
  readonly timeNs: string;
  /** Conditions for an inclusive range. */
  within(range: TimeRange): string[];
  /** NULL when the source has no such column. */
  column(ref: RefExpr): Value;
}

/** Rows of one measurement with named, typed columns. */
export interface Rowset {
  readonly measurement: string;
  /** Without `time`. */
  readonly columns: ReadonlyMap<string, ValueType>;
  /** Tags that can be named, but are none of the columns. */
  readonly hiddenTags: readonly string[];
  /** True for the rows of a subquery. */
  readonly isQuery: boolean;
  /** Bins of the statement around the subquery, when its rows have their times: the first one may begin before the range and belongs to it. */
  readonly sharedBins: Bins | undefined;
  /** @param range rows outside are not wanted */
  open(range: TimeRange): OpenRows;
}

/** The rows of a table as InfluxQL sees them, under the names that DuckDB knows the columns by. */
export function tableRows(state: CompileState, relation: RelationInfo): Rowset {
  const types = new Map<string, ValueType>();
  for (const { name, type } of relation.columns) {
    if (name !== 'time') types.set(name, valueType(type as Parameters<typeof valueType>[0]));
  }
  const physical = physicalNames(relation.columns.map((column) => column.name));
  return {
    measurement: relation.name,
    columns: types,
    hiddenTags: [],
    isQuery: false,
    sharedBins: undefined,
    open(range) {
      const { columns, marker } = state.addUse(relation, range);
      const alias = state.freshName('r');
      const named = (name: string): string => `${alias}.${quoteIdent(physical.get(name) ?? name)}`;
      return {
        from: `${marker} AS ${alias}`,
        timeNs: `epoch_ns(${named('time')})`,
        within: (limits) => rangeConditions(named('time'), limits, timestampLiteral),
        column({ name, cast }) {
          const type = types.get(name);
          if (type === undefined) return missing;
          columns.add(name);
          return castValue({ sql: named(name), type }, cast);
        },
      };
    },
  };
}

/** Client name -> column. */
type QueryColumns = ReadonlyMap<string, { readonly sqlName: string; readonly type: ValueType }>;

/** @param columns columns of `sql`, which also has `t` (BIGINT); hidden ones can be named, but stand in no wildcard */
export function queryRows(
  state: CompileState,
  measurement: string,
  sql: string,
  { shown, hidden, sharedBins }: { readonly shown: QueryColumns; readonly hidden: QueryColumns } & Pick<Rowset, 'sharedBins'>,
): Rowset {
  return {
    measurement,
    columns: new Map([...shown].map(([name, { type }]) => [name, type])),
    hiddenTags: [...hidden.keys()].filter((name) => !shown.has(name)),
    isQuery: true,
    sharedBins,
    open() {
      const alias = state.freshName('r');
      return {
        from: `(${sql}) AS ${alias}`,
        timeNs: `${alias}.t`,
        within: ({ low, high }) => [
          ...(low === undefined ? [] : [`${alias}.t >= ${sharedBins === undefined ? low : binSql(sharedBins, integerSql(low))}`]),
          ...rangeConditions(`${alias}.t`, { low: undefined, high }, String),
        ],
        column({ name, cast }) {
          const column = shown.get(name) ?? hidden.get(name);
          if (column === undefined) return missing;
          return castValue({ sql: `${alias}.${column.sqlName}`, type: column.type }, cast);
        },
      };
    },
  };
}

function rangeConditions(time: string, { low, high }: TimeRange, literal: (ns: bigint) => string): string[] {
  const conditions: string[] = [];
  if (low !== undefined) conditions.push(`${time} >= ${literal(low)}`);
  if (high !== undefined) conditions.push(`${time} <= ${literal(high)}`);
  return conditions;
}
