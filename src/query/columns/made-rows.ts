import type { ExpectedColumn, ResultBatch, ResultColumn, ResultType, ResultVector } from '../result.ts';
import { textVector } from '../results/index.ts';
import type { RelationColumn } from '../sql/types/contract.ts';
import { type MadeRowsPlan, shownType } from '../sql/types/plans.ts';
import type { Cell, RowSet } from '../system-tables/index.ts';

/** Carries a plan out. @param output the columns as the compiler knows them */
export function madeRows(
  plan: MadeRowsPlan,
  { columns, rows }: RowSet,
  output: readonly ExpectedColumn[],
): { readonly columns: readonly ResultColumn[]; readonly batch: ResultBatch } {
  const indexOf = (name: string): number => columns.findIndex((column) => column.name === name);
  const tests = [...plan.texts].map(([name, values]) => ({ index: indexOf(name), values: new Set<Cell | undefined>(values) }));
  const met = tests.length === 0 ? rows : rows.filter((row) => tests.every(({ index, values }) => values.has(row[index])));
  const found = met.slice(plan.offset, plan.limit === undefined ? undefined : plan.offset + plan.limit);
  const picked = plan.columns.map((name, i) => {
    const index = indexOf(name);
    const type = shownType(columns[index] as RelationColumn) as ResultType;
    return { column: { ...(output[i] as ExpectedColumn), type }, vector: vectorOf(type, found, index) };
  });
  return { columns: picked.map(({ column }) => column), batch: { rowCount: found.length, columns: picked.map(({ vector }) => vector) } };
}

function vectorOf(type: ResultType, rows: RowSet['rows'], index: number): ResultVector {
  const cell = (row: number): Cell => rows[row]?.[index] ?? null;
  const valid = validBits(rows.length, cell);
  const bigints = (): BigInt64Array => BigInt64Array.from(rows, (_, row) => (cell(row) as bigint | null) ?? 0n);
  switch (type.kind) {
    case 'string':
      return textVector(rows.map((_, row) => cell(row) as string | null));
    case 'float64':
      return { kind: 'float64', data: Float64Array.from(rows, (_, row) => (cell(row) as number | null) ?? 0), valid };
    case 'boolean':
      return { kind: 'boolean', data: Uint8Array.from(rows, (_, row) => (cell(row) === true ? 1 : 0)), valid };
    case 'uint64':
      return { kind: 'uint64', data: BigUint64Array.from(rows, (_, row) => (cell(row) as bigint | null) ?? 0n), valid };
    case 'timestamp':
      return { kind: 'timestamp', data: bigints(), valid };
    case 'int64':
      return { kind: 'int64', data: bigints(), valid };
    default:
      throw new Error(`internal error: a made column cannot be shown as ${type.kind}`);
  }
}

function validBits(count: number, cell: (row: number) => Cell): Uint8Array | undefined {
  const bits = new Uint8Array((count + 7) >> 3);
  let nulls = 0;
  for (let row = 0; row < count; row++) {
    if (cell(row) === null) nulls++;
    else bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
  }
  return nulls === 0 ? undefined : bits;
}
