import type { ResultBatch, ResultVector } from '../../query/result.ts';
import type { BatchRange } from './record-batch.ts';

/** Rows of one record batch, at most. */
export const MESSAGE_ROWS_MAX = 8192;

/** Bytes of one record batch, about: gRPC clients in Go and JavaScript refuse messages of more than 4 MiB. One row may have more. */
export const MESSAGE_BYTES_MAX = 2 * 1024 * 1024;

/**
 * Gathers the batches of a result until there are enough rows for a record batch, and cuts those that have more.
 * The first rows are handed over as they come, so that the first answer does not wait for more of them.
 */
export class BatchRanges {
  readonly #rowsMax: number;
  readonly #bytesMax: number;
  #ranges: BatchRange[] = [];
  #rows = 0;
  #bytes = 0;
  #isFirst = true;

  constructor(rowsMax = MESSAGE_ROWS_MAX, bytesMax = MESSAGE_BYTES_MAX) {
    this.#rowsMax = rowsMax;
    this.#bytesMax = bytesMax;
  }

  /** The record batches that are complete with these rows. */
  *add(batch: ResultBatch): Generator<readonly BatchRange[], void, void> {
    let from = 0;
    while (from < batch.rowCount) {
      const { to, bytes } = this.#end(batch, from);
      if (to > from) {
        this.#ranges.push({ batch, from, to });
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
      const bytes = bytesOf(batch, from, from + count);
      // a row alone is sent however large it is
      if (this.#bytes + bytes <= this.#bytesMax || (count === 1 && this.#ranges.length === 0)) return { to: from + count, bytes };
    }
    return { to: from, bytes: 0 };
  }
}

/** Memory of rows, bytes; a little more or less than a record batch takes for them. */
function bytesOf(batch: ResultBatch, from: number, to: number): number {
  return batch.columns.reduce((sum, vector) => sum + vectorBytes(vector, from, to), 0);
}

function vectorBytes(vector: ResultVector, from: number, to: number): number {
  const rows = to - from;
  switch (vector.kind) {
    case 'string':
    case 'binary':
      return rows * 4 + (vector.offsets[to] as number) - (vector.offsets[from] as number);
    case 'coded':
      return rows * 4 + codedBytes(vector.codes, vector.texts, from, to);
    case 'list':
      return rows * 4 + vectorBytes(vector.item, vector.offsets[from] as number, vector.offsets[to] as number);
    case 'map': {
      const [first, end] = [vector.offsets[from] as number, vector.offsets[to] as number];
      return rows * 4 + vectorBytes(vector.key, first, end) + vectorBytes(vector.value, first, end);
    }
    case 'struct':
      return vector.members.reduce((sum, member) => sum + vectorBytes(member, from, to), 0);
    case 'interval':
      return rows * 16;
    case 'null':
      return 0;
    default:
      return (
        (vector.data.byteLength / Math.max(1, vector.data.length)) * rows * (vector.kind === 'decimal' || vector.kind === 'hugeint' ? 2 : 1)
      );
  }
}

/** A character counts as its most, 3 bytes. */
function codedBytes(codes: Int32Array, texts: readonly string[], from: number, to: number): number {
  let sum = 0;
  for (let row = from; row < to; row++) sum += (texts[codes[row] as number]?.length ?? 0) * 3;
  return sum;
}
