import type { ResultBatch } from '../../query/result.ts';
import type { CodedTexts } from './coded-texts.ts';
import type { BatchRange } from './record-batch.ts';
import { vectorBytes } from './vector-bytes.ts';

/** Rows of one record batch, at most. */
const MESSAGE_ROWS_MAX = 8192;

/** Bytes of one record batch, about: gRPC clients in Go and JavaScript refuse messages of more than 4 MiB. One row may have more. */
export const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Gathers the batches of a result until there are enough rows for a record batch, and cuts those that have more.
 * The first rows are handed over as they come, so that the first answer does not wait for more of them.
 */
export class BatchRanges {
  readonly #codes: CodedTexts;
  readonly #rowsMax: number;
  readonly #bytesMax: number;
  #ranges: BatchRange[] = [];
  #rows = 0;
  #bytes = 0;
  #isFirst = true;

  constructor(codes: CodedTexts, rowsMax = MESSAGE_ROWS_MAX, bytesMax = MESSAGE_BYTES_MAX) {
    this.#codes = codes;
    this.#rowsMax = rowsMax;
    this.#bytesMax = bytesMax;
  }

  /** The record batches that are complete with these rows. */
  *add(batch: ResultBatch): Generator<readonly BatchRange[], void, void> {
    let from = 0;
    while (from < batch.rowCount) {
      const { to, bytes } = this.#end(batch, from);
      if (to > from) {
        this.#ranges.push({ batch, from, to, bytes });
        this.#rows += to - from;
        this.#bytes += bytes;
      }
      from = to;
      if (from < batch.rowCount || this.#rows >= this.#rowsMax || this.#bytes >= this.#bytesMax || this.#isFirst) yield this.rest();
    }
  }

  /** What is left; empty when nothing is. */
  rest(): readonly BatchRange[] {
    const ranges = this.#ranges;
    this.#ranges = [];
    this.#rows = this.#bytes = 0;
    this.#isFirst = false;
    return ranges;
  }

  /** End of the rows that still fit, and their bytes. */
  #end(batch: ResultBatch, from: number): { readonly to: number; readonly bytes: number } {
    let count = Math.min(batch.rowCount - from, this.#rowsMax - this.#rows);
    for (; count > 0; count >>= 1) {
      const bytes = this.#bytesOf(batch, from, from + count);
      // a row alone is sent however large it is
      if (this.#bytes + bytes <= this.#bytesMax || (count === 1 && this.#ranges.length === 0)) return { to: from + count, bytes };
    }
    return { to: from, bytes: 0 };
  }

  #bytesOf(batch: ResultBatch, from: number, to: number): number {
    return batch.columns.reduce((sum, vector) => sum + vectorBytes(vector, from, to, this.#codes), 0);
  }
}
