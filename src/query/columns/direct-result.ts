import type { QueryResult, ResultBatch, ResultColumn } from '../result.ts';

/** A result without DuckDB. */
export class DirectResult implements QueryResult {
  readonly columns: readonly ResultColumn[];
  readonly #batches: AsyncIterable<ResultBatch> | readonly ResultBatch[];
  #cancelled = false;

  constructor(columns: readonly ResultColumn[], batches: AsyncIterable<ResultBatch> | readonly ResultBatch[]) {
    this.columns = columns;
    this.#batches = batches;
  }

  async *batches(): AsyncGenerator<ResultBatch> {
    for await (const batch of this.#batches) {
      if (this.#cancelled) return;
      if (batch.rowCount > 0) yield batch;
    }
  }

  cancel(): void {
    this.#cancelled = true;
  }
}
