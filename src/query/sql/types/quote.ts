/** The only places where text becomes part of DuckDB SQL. */
import { sqlIdentifier, sqlString } from '../../../duckdb/index.ts';

/** `"name"`. A NUL cannot be part of an identifier: columns with one have another name inside, and no other name resolves. */
export function quoteIdent(name: string): string {
  return sqlIdentifier(name.replaceAll('\0', '\uFFFD'));
}

/** `'text'`. NUL characters go through `chr(0)`, because statement text ends there. */
export function quoteString(text: string): string {
  return sqlString(text);
}

const INT64_MAX = 2n ** 63n - 1n;

/**
 * A TIMESTAMP_NS constant that DuckDB pushes down to file scans. Its infinities are the ends of int64, and sort there: they
 * have the right order with every time that a row can have.
 */
export function timestampLiteral(ns: bigint): string {
  if (ns === INT64_MAX) return `CAST('infinity' AS TIMESTAMP_NS)`;
  if (ns === -INT64_MAX) return `CAST('-infinity' AS TIMESTAMP_NS)`;
  return `make_timestamp_ns(${ns})`;
}
