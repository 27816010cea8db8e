import type { ExpectedColumn, ResultBatch, ResultColumn, ResultType } from '../result.ts';
import { madeVector } from '../results/index.ts';
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
    return {
      column: { ...(output[i] as ExpectedColumn), type },
      vector: madeVector(
        type,
        found.map((row) => row[index] ?? null),
      ),
    };
  });
  return { columns: picked.map(({ column }) => column), batch: { rowCount: found.length, columns: picked.map(({ vector }) => vector) } };
}
