import type { CacheFunctionName, RelationColumn } from '../sql/types/contract.ts';
import type { RowSet } from './rows-source.ts';

/** What one call of `last_cache(..)` or `distinct_cache(..)` delivers. */
export interface CacheRelation {
  /** In the order of `SELECT *`. */
  readonly columns: readonly RelationColumn[];
  /** Rows as of now, with all columns; which of them the statement reads may decide which rows there are. */
  rows(wanted: ReadonlySet<string>): Promise<RowSet['rows']>;
}

/** The caches that statements can read; implemented by the caches part. */
export interface CacheFunctions {
  /**
   * @param args undefined = not a text literal
   * Throws planning errors as `InfluxError`.
   */
  resolve(database: string, name: CacheFunctionName, args: readonly (string | undefined)[]): CacheRelation;
}
