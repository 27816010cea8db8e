import { uniqueNames } from '../../../duckdb/index.ts';

/**
 * DuckDB's name of each column of one relation, unique although DuckDB compares names without regard to case and users do
 * not. Deterministic for the order given, so scan and compiler agree.
 */
export function physicalNames(columns: readonly string[]): ReadonlyMap<string, string> {
  const unique = uniqueNames(columns);
  return new Map(columns.map((column, index) => [column, unique[index] as string]));
}
