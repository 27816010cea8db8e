/** Statements that are answered without DuckDB: one user table, plain conditions, plain groups. Names are those of the catalog. */
import type { ResultType } from '../../result.ts';
import type { RelationColumn } from './contract.ts';

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** A condition on a number field; rows without a value do not meet it. */
export interface NumberFilter {
  readonly column: string;
  readonly op: Comparison;
  readonly value: number;
}

/** Which rows are meant; all parts together. */
export interface RowConditions {
  /** Inclusive ns; undefined = unbounded. */
  readonly minTimeNs: bigint | undefined;
  readonly maxTimeNs: bigint | undefined;
  /** Allowed values of tags. */
  readonly tags: ReadonlyMap<string, readonly string[]>;
  readonly filters: readonly NumberFilter[];
}

export type AggregateName = 'count' | 'sum' | 'avg' | 'min' | 'max';

export interface Aggregate {
  readonly name: AggregateName;
  /** A number field; undefined = `count(*)`. */
  readonly column: string | undefined;
}

export type GroupItem =
  | { readonly kind: 'bin' }
  /** Index into `GroupShape.tags`. */
  | { readonly kind: 'tag'; readonly index: number }
  /** Index into `GroupShape.aggregates`. */
  | { readonly kind: 'aggregate'; readonly index: number };

export interface OrderTerm {
  /** Position in the select list. */
  readonly item: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** `SELECT keys, aggregates FROM t WHERE .. GROUP BY keys`. */
export interface GroupShape {
  readonly kind: 'groups';
  /** `date_bin` of the table's time. */
  readonly bin: { readonly ns: bigint; readonly originNs: bigint } | undefined;
  readonly tags: readonly string[];
  readonly aggregates: readonly Aggregate[];
  readonly items: readonly GroupItem[];
  readonly order: readonly OrderTerm[];
  readonly limit: number | undefined;
  readonly offset: number;
}

export type RowItem =
  | { readonly kind: 'time' }
  | { readonly kind: 'tag'; readonly name: string }
  | { readonly kind: 'field'; readonly name: string };

/** The newest (or oldest) row of each group of tags. */
export interface EdgeShape {
  readonly kind: 'edge';
  readonly edge: 'newest' | 'oldest';
  readonly tags: readonly string[];
  readonly items: readonly RowItem[];
}

/** The rows themselves, in any order. */
export interface RowShape {
  readonly kind: 'rows';
  readonly items: readonly RowItem[];
  readonly limit: number | undefined;
  readonly offset: number;
}

export interface DirectPlan {
  readonly table: string;
  readonly where: RowConditions;
  readonly shape: GroupShape | EdgeShape | RowShape;
}

/** `SELECT columns FROM last_cache(..) WHERE text = '..'`: rows that are in memory anyway. */
export interface MadeRowsPlan {
  readonly columns: readonly string[];
  /** Allowed values of text columns. */
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly limit: number | undefined;
  readonly offset: number;
}

/** Result types of the columns that such a plan can show. */
const shown: Partial<Readonly<Record<RelationColumn['type'], ResultType>>> = {
  tag: { kind: 'string', dictionary: true },
  string: { kind: 'string', dictionary: false },
  float: { kind: 'float64' },
  integer: { kind: 'int64' },
  uinteger: { kind: 'uint64' },
  boolean: { kind: 'boolean' },
  time: { kind: 'timestamp', zone: undefined },
};

/** Result type of a column that a `MadeRowsPlan` can show; undefined for any other. */
export function shownType({ type }: RelationColumn): ResultType | undefined {
  return shown[type];
}
