import type { ShapeName } from '../line-protocol-shapes.ts';
import { batchesOf } from './ingest.ts';

/** Digits of a nanosecond timestamp that differ from round to round: those of 10^13 ns and more. */
const ROUND_DIGITS = 6;
const TIME_DIGITS = 19;
const LF = 10;

/** Batches without end: each round has the lines of the one before, 10^13 ns later. */
export class RollingBatches {
  readonly rowsPerBatch: number;
  readonly #bodies: readonly Buffer[];
  #next = 0;

  /** @param rowsPerRound rows that span less than 10^13 ns (about 2.8 hours) of data */
  constructor(shape: ShapeName, rowsPerRound: number, rowsPerBatch: number) {
    this.rowsPerBatch = rowsPerBatch;
    this.#bodies = batchesOf(shape, rowsPerRound, rowsPerBatch).bodies;
  }

  /** A copy, so that a batch under way is not changed. */
  next(): Buffer {
    const round = Math.floor(this.#next / this.#bodies.length);
    const body = Buffer.from(this.#bodies[this.#next++ % this.#bodies.length] as Buffer);
    if (round === 0) return body;
    let known = '';
    let shifted = Buffer.alloc(0);
    for (let end = body.indexOf(LF); end >= 0; end = body.indexOf(LF, end + 1)) {
      const at = end - TIME_DIGITS;
      const prefix = body.toString('latin1', at, at + ROUND_DIGITS);
      if (prefix !== known) {
        known = prefix;
        shifted = Buffer.from(String(Number(prefix) + round), 'latin1');
      }
      shifted.copy(body, at);
    }
    return body;
  }
}
