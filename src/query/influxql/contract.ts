import type { QueryResult, ResultColumn } from '../result.ts';
import type { ChangeStatement, EmptyList, Statement } from './parse/ast.ts';

export interface InfluxqlRequest {
  /** The database of the request or of the statement; undefined only where `needsDatabase` says so. */
  readonly database: string | undefined;
  readonly statement: Statement;
  /** Whether the statement may change something; refused otherwise. */
  readonly mayChange?: boolean;
  /** True = a change of rows or measurements is about the database and all of its retention policies. */
  readonly allPolicies?: boolean;
  /** Where SELECT INTO writes. */
  readonly intoDatabase?: string | undefined;
  /** True = lists have the shape, and series the order of InfluxDB 1 instead of that of InfluxDB 3 Core. */
  readonly asV1?: boolean;
  /** Databases that lists show whoever asks; undefined = all. */
  readonly isVisible?: (database: string) => boolean;
  /** For the query log. */
  readonly text: string;
  /** Aborting cancels the query. */
  readonly signal?: AbortSignal;
  /** Lower-case hex, for the query log. */
  readonly traceId?: string;
}

/** What makes series of rows: they belong to one while these columns keep their values. */
export interface GroupKey {
  readonly measurementColumn: number;
  /** `projected` = also among the selected columns. */
  readonly tagColumns: readonly { readonly key: string; readonly columnIndex: number; readonly projected: boolean }[];
}

/** Rows sorted by measurement, group tags and time; `iox::measurement` first, then `time` where there is one. */
export interface InfluxqlResult {
  /** The series to show when there are no rows; undefined = none. */
  readonly emptyList?: EmptyList;
  readonly result: QueryResult;
  readonly groupKey: GroupKey;
  /** Further series of the same statement, with columns of their own. */
  readonly more?: readonly InfluxqlResult[];
}

/** Answers InfluxQL. Failures that have a status of their own are thrown as `InfluxError` before the first row. */
export interface InfluxqlService {
  run(request: InfluxqlRequest): Promise<InfluxqlResult>;
  /** The columns that `run` would answer with, and what makes series of its rows. */
  describe(request: InfluxqlRequest): Promise<{ readonly columns: readonly ResultColumn[]; readonly groupKey: GroupKey }>;
  /** Same, as one complete Parquet file. */
  toParquet(request: InfluxqlRequest): Promise<Uint8Array>;
}

/** What a change is about. */
export interface ChangeTarget {
  /** That of the request or of the statement; undefined where none is needed. */
  readonly database: string | undefined;
  /** With the retention policies of the database. */
  readonly allPolicies: boolean;
}

/** Carries out statements that change something. */
export interface InfluxqlChanges {
  /** Throws `InfluxError`. */
  run(change: ChangeStatement, target: ChangeTarget): Promise<void>;
}
