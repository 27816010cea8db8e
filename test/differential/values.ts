/** A cell of a result. Timestamps are bigints, as integers are; null = no value. */
export type Cell = null | bigint | number | string | boolean;

/** Order of the UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** A number of any kind as a double. */
export function asDouble(value: Cell): number {
  return Number(value);
}

/** Negative, zero or positive; values must be of comparable types. Integers and doubles compare as doubles. */
export function compareCells(a: Exclude<Cell, null>, b: Exclude<Cell, null>): number {
  if (typeof a === 'string' && typeof b === 'string') return byBytes(a, b);
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0;
  const [x, y] = [asDouble(a), asDouble(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** A text that is equal for equal cells and tells types apart. */
export function cellText(cell: Cell): string {
  if (cell === null) return 'null';
  if (typeof cell === 'bigint') return `${cell}n`;
  if (typeof cell === 'string') return JSON.stringify(cell);
  // compat: 0 and -0 are one value for DataFusion's groups and DuckDB's alike
  return typeof cell === 'number' ? String(cell === 0 ? 0 : cell) : String(cell);
}
