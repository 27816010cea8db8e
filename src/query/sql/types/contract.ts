import type { ColumnType } from '../../../shared/column-type.ts';
import type { BindValue, ExpectedColumn } from '../../result.ts';
import type { DirectPlan, MadeRowsPlan } from './plans.ts';

/** A table as the SQL compiler sees it. Columns of user tables are sorted by name (code points), `time` included. */
export interface RelationInfo {
  /** `function` = what a table function delivers; it has no name of its own. */
  readonly schema: 'iox' | 'system' | 'information_schema' | 'function';
  readonly name: string;
  readonly columns: readonly RelationColumn[];
}

/** Types of user tables plus those that only system tables have. All timestamps are TIMESTAMP_NS in DuckDB. */
export interface RelationColumn {
  readonly name: string;
  readonly type:
    | ColumnType
    | 'duration'
    | 'int32'
    | 'uint8'
    | 'uint32'
    | 'date'
    | 'time_ms'
    | 'time_s_utc'
    | 'list_string'
    | 'list_uint16'
    | 'list_uint64';
  /** Never null. User tables need not say it of `time`. */
  readonly required?: boolean;
  /** Arrow's text for the type where it is not that of `type`. */
  readonly arrowType?: string;
}

/** Table functions whose rows the server makes. */
export type CacheFunctionName = 'last_cache' | 'distinct_cache';

export interface SqlCompileContext {
  readonly database: string;
  /** Wall clock of the statement, for `now()`. */
  readonly nowNs: bigint;
  readonly params: ReadonlyMap<string, BindValue>;
  /** Parameters may have no value: the statement is described only, and DuckDB says what type they have. */
  readonly describesOnly?: boolean;
  /**
   * Print `+ - *`, negation and sums of integers so that they wrap as in DataFusion. It is slow: meant for a statement
   * that failed in DuckDB because a number was too large.
   */
  readonly wrapsIntegers?: boolean;
  /** Exact, case-sensitive lookup. */
  relation(schema: 'iox' | 'system' | 'information_schema', name: string): RelationInfo | undefined;
  /** Names of the tables of `iox`, for errors; absent = they are not known. */
  tableNames?(): Iterable<string>;
  /**
   * What `last_cache(..)` or `distinct_cache(..)` delivers. An argument that is not a text literal is undefined.
   * Throws planning errors. Absent = there are no caches.
   */
  cacheFunction?(name: CacheFunctionName, args: readonly (string | undefined)[]): RelationInfo;
}

/** One use of a base table in the statement. */
export interface RelationUse {
  readonly relation: RelationInfo;
  /**
   * Bounds on `time` that hold for every row this use must deliver (inclusive, ns); from the WHERE conjuncts that
   * apply to it alone. Undefined side = unbounded. Used to skip files; the printed SQL still filters.
   */
  readonly minTimeNs: bigint | undefined;
  readonly maxTimeNs: bigint | undefined;
  /**
   * Values of tags that hold for every row this use must deliver, as the bounds on `time` do. The printed SQL still
   * filters.
   */
  readonly tagValues?: ReadonlyMap<string, readonly string[]>;
  /** Columns that the statement reads from this use. */
  readonly columns: ReadonlySet<string>;
}

/** Bytes of a column that become a digest after DuckDB delivered them. */
export interface ResultDigest {
  /** As Node.js calls it. */
  readonly algorithm: string;
  /** The digest as text; undefined = as bytes. */
  readonly text: 'hex' | 'base64' | undefined;
}

/** A validated statement, ready to be printed once the scan of every use is known. */
export interface CompiledSql {
  readonly uses: readonly RelationUse[];
  /**
   * DuckDB SQL. `source(i)` gives the parenthesised sub-query that delivers the rows of `uses[i]` with the columns
   * named by `physicalName(column)`; the printer adds the alias.
   */
  print(source: (useIndex: number) => string): string;
  /**
   * Output columns in order, as far as the compiler knows them; DuckDB's own types decide the rest
   * (`undefined` = take DuckDB's). Names are the ones that clients see.
   */
  readonly output: readonly (ExpectedColumn & { readonly digest?: ResultDigest | undefined })[];
  readonly explain: 'no' | 'plan' | 'analyze';
  /** The engine has all rows of the result together anyway, or they are few: they need not be streamed. */
  readonly small?: boolean;
  /** How to answer without DuckDB; it may turn out that it must be asked after all. */
  readonly direct?: DirectPlan | undefined;
  /** The same for rows of a cache, the only relation of the statement. */
  readonly made?: MadeRowsPlan | undefined;
  /** Parameters without a value, in the order in which they are met; the printed SQL calls the first one `$p0`. */
  readonly openParams?: readonly string[];
  /** Nothing in the statement asks for an order of the rows. */
  readonly unordered?: boolean;
}
