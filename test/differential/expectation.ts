import assert from 'node:assert/strict';
import { type Cell, cellText, compareCells } from './values.ts';

/** A cell that may differ by `tolerance`: sums of doubles depend on the order of the rows. */
export interface Approximate {
  readonly value: number;
  readonly tolerance: number;
}

export type ExpectedCell = Cell | Approximate;

/** A term of ORDER BY: a position in the select list whose cells are exact. */
export interface SortTerm {
  readonly at: number;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

/** What a statement must deliver. */
export interface Expectation {
  /** Every row that may be in the result. */
  readonly rows: readonly (readonly ExpectedCell[])[];
  /**
   * One list for each row of the result where several rows would be right, with the rows of which one is wanted; then `rows`
   * is empty and there is no order.
   */
  readonly oneOf?: readonly (readonly (readonly ExpectedCell[])[])[];
  readonly order: readonly SortTerm[];
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
}

/** Throws an assertion that says what differs. */
export function assertResult(found: readonly (readonly Cell[])[], expected: Expectation): void {
  if (expected.oneOf !== undefined) {
    assertOneOfEach(found, expected.oneOf);
    return;
  }
  const offset = expected.offset ?? 0;
  const count = Math.max(0, Math.min(expected.rows.length - offset, expected.limit ?? Number.POSITIVE_INFINITY));
  const all = count === expected.rows.length;
  if (found.length !== count)
    assert.fail(`${found.length} rows instead of ${count}${all ? `\n${differenceOf(found, expected.rows)}` : ''}`);
  if (expected.order.length > 0) assertOrder(found, expected, offset, count);
  const approximate = approximatePlaces(expected.rows);
  const keyOf = (row: readonly ExpectedCell[]): string =>
    row.map((cell, i) => (approximate.has(i) || isApproximate(cell) ? '~' : cellText(cell))).join();
  const waiting = new Map<string, (readonly ExpectedCell[])[]>();
  for (const row of expected.rows) {
    const same = waiting.get(keyOf(row));
    if (same === undefined) waiting.set(keyOf(row), [row]);
    else same.push(row);
  }
  for (const row of found) {
    const same = waiting.get(keyOf(row)) ?? [];
    const at = same.findIndex((candidate) => isSameRow(row, candidate));
    if (at < 0) assert.fail(`unexpected row ${rowText(row)}\n${all ? differenceOf(found, expected.rows) : ''}`);
    same.splice(at, 1);
  }
}

/** Places of the select list where any row may differ a little. */
function approximatePlaces(rows: readonly (readonly ExpectedCell[])[]): ReadonlySet<number> {
  const places = new Set<number>();
  for (const row of rows) {
    row.forEach((cell, i) => {
      if (isApproximate(cell)) places.add(i);
    });
  }
  return places;
}

function assertOneOfEach(found: readonly (readonly Cell[])[], lists: readonly (readonly (readonly ExpectedCell[])[])[]): void {
  const left = [...lists];
  for (const row of found) {
    const at = left.findIndex((candidates) => candidates.some((candidate) => isSameRow(row, candidate)));
    if (at < 0) assert.fail(`unexpected row ${rowText(row)}`);
    left.splice(at, 1);
  }
  if (left.length > 0) assert.fail(`no row for ${left.length} groups, one of which is ${rowText(left[0]?.[0] ?? [])}`);
}

/** The sort keys must come in the order of the expected ones; rows with equal keys may come in any. */
function assertOrder(found: readonly (readonly Cell[])[], { rows, order }: Expectation, offset: number, count: number): void {
  const sorted = [...rows].sort((a, b) => compareRows(a, b, order)).slice(offset, offset + count);
  const keysOf = (row: readonly ExpectedCell[]): string => order.map(({ at }) => cellText(row[at] as Cell)).join();
  found.forEach((row, i) => {
    const wanted = sorted[i] as readonly ExpectedCell[];
    if (keysOf(row) !== keysOf(wanted)) assert.fail(`row ${i} is ${rowText(row)}; in order it is ${rowText(wanted)}`);
  });
}

function compareRows(a: readonly ExpectedCell[], b: readonly ExpectedCell[], order: readonly SortTerm[]): number {
  for (const { at, descending, nullsFirst } of order) {
    const [x, y] = [a[at] as Cell, b[at] as Cell];
    if (x === null || y === null) {
      if (x === y) continue;
      return (x === null) === nullsFirst ? -1 : 1;
    }
    const result = compareCells(x, y);
    if (result !== 0) return descending ? -result : result;
  }
  return 0;
}

function isApproximate(cell: ExpectedCell | undefined): cell is Approximate {
  return typeof cell === 'object' && cell !== null;
}

function isSameRow(row: readonly Cell[], expected: readonly ExpectedCell[]): boolean {
  return row.length === expected.length && row.every((cell, i) => isSameCell(cell, expected[i] as ExpectedCell));
}

function isSameCell(cell: Cell, expected: ExpectedCell): boolean {
  if (!isApproximate(expected)) return cellText(cell) === cellText(expected);
  if (typeof cell !== 'number') return false;
  return cell === expected.value || Math.abs(cell - expected.value) <= expected.tolerance;
}

function differenceOf(found: readonly (readonly Cell[])[], expected: readonly (readonly ExpectedCell[])[]): string {
  const [a, b] = [found.map(rowText), expected.map(rowText)];
  const count = (rows: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const row of rows) counts.set(row, (counts.get(row) ?? 0) + 1);
    return counts;
  };
  const [inA, inB] = [count(a), count(b)];
  const missing = [...inB].filter(([row, times]) => times > (inA.get(row) ?? 0)).map(([row]) => `  missing ${row}`);
  const extra = [...inA].filter(([row, times]) => times > (inB.get(row) ?? 0)).map(([row]) => `  extra   ${row}`);
  return [...missing.slice(0, 8), ...extra.slice(0, 8)].join('\n');
}

export function rowText(row: readonly ExpectedCell[]): string {
  return `(${row.map((cell) => (isApproximate(cell) ? `~${cell.value}` : cellText(cell))).join(', ')})`;
}
