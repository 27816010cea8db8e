import type { QueryResult, ResultBatch, ResultColumn } from '../result.ts';

/** A result that is complete from the start. */
export class DirectResult implements QueryResult {
  readonly columns: readonly ResultColumn[];
  readonly #batch: ResultBatch;
  #cancelled = false;

  constructor(columns: readonly ResultColumn[], batch: ResultBatch) {
    this.columns = columns;
    this.#batch = batch;
  }

  async *batches(): AsyncGenerator<ResultBatch> {
    if (!this.#cancelled && this.#batch.rowCount > 0) yield this.#batch;
  }

  cancel(): void {
    this.#cancelled = true;
  }
}
