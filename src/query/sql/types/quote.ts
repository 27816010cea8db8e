/** The only places where text becomes part of DuckDB SQL. */

/** `"name"`. A NUL cannot be part of an identifier in the engine; it is replaced, names with it never resolve. */
export function quoteIdent(name: string): string {
  return `"${name.replaceAll('\0', '\uFFFD').replaceAll('"', '""')}"`;
}

/** `'text'`. NUL characters go through `chr(0)`, because statement text ends there. */
export function quoteString(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`;
  if (!text.includes('\0')) return quoted;
  return `(${text
    .split('\0')
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join(' || chr(0) || ')})`;
}

/** A TIMESTAMP_NS constant that the engine pushes down to file scans. */
export function timestampLiteral(ns: bigint): string {
  return `make_timestamp_ns(${ns})`;
}
