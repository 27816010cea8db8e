import type { BindValue, QueryResult, ResultColumn, ResultType } from './result.ts';

export interface SqlRequest {
  readonly database: string;
  readonly query: string;
  readonly params: ReadonlyMap<string, BindValue>;
  /** How the query log names it; `sql` when absent. */
  readonly kind?: 'sql' | 'influxql' | 'flightsql';
  /** The text in the query log where it is not that of the query. */
  readonly loggedText?: string;
  /** Who asks; a client when absent. Plugins' queries do not count in telemetry. */
  readonly origin?: 'client' | 'plugin';
  /** True = `system.queries` shows whoever asks the queries of this database only; it shows those of all databases otherwise. */
  readonly ownQueriesOnly?: boolean | undefined;
  /** Lower-case hex, for the query log. */
  readonly traceId?: string;
  /** Aborting cancels the query. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called when the query is planned, before its first rows are found, with a way to learn its columns. They are those of the
   * result, whatever is added to the tables meanwhile. Not called for answers that come at once.
   */
  readonly onPlanned?: (columns: () => Promise<readonly ResultColumn[]>) => void;
}

/** What a statement answers with. */
export interface StatementDescription {
  readonly columns: readonly ResultColumn[];
  /** Parameters that have no value, by their numbers or by where they stand in the text; a type that is undefined cannot be told. */
  readonly parameters: readonly { readonly name: string; readonly type: ResultType | undefined }[];
}

/**
 * Answers queries. Planning is finished and the first batch is ready when the promise resolves, so every failure
 * that has a status of its own is thrown as `InfluxError` before anything is sent.
 */
export interface QueryService {
  sql(request: SqlRequest): Promise<QueryResult>;
  /** Same, as one complete Parquet file. Zero rows give a valid file without row groups. */
  sqlToParquet(request: SqlRequest): Promise<Uint8Array>;
  /** Says what `sql` would answer with, without running it. Neither counted nor in the query log. */
  describe(request: SqlRequest): Promise<StatementDescription>;
}
