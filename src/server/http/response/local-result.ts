import type { QueryResult, ResultColumn, ResultVector } from '../../../query/result.ts';
import { booleanVector, textVector } from '../../../query/results/index.ts';

/** A column of rows that this layer makes itself. */
export type LocalColumn =
  | { readonly name: string; readonly kind: 'string'; readonly values: readonly string[] }
  | { readonly name: string; readonly kind: 'boolean'; readonly values: readonly boolean[] };

/** A few rows as a query result, so that they can be sent in every format. */
export function localResult(columns: readonly LocalColumn[]): QueryResult {
  const rowCount = columns[0]?.values.length ?? 0;
  const vectors = columns.map(vectorOf);
  return {
    columns: columns.map(resultColumn),
    async *batches() {
      if (rowCount > 0) yield { rowCount, columns: vectors };
    },
    cancel: () => {},
  };
}

function resultColumn(column: LocalColumn): ResultColumn {
  const { name, kind } = column;
  return { name, type: kind === 'string' ? { kind, dictionary: false } : { kind } };
}

function vectorOf(column: LocalColumn): ResultVector {
  return column.kind === 'boolean' ? booleanVector(column.values) : textVector(column.values);
}
