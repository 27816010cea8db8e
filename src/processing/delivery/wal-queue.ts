import type { WalBatch } from './wal-rows.ts';

export interface WalQueueLimits {
  readonly batchesMax: number;
  readonly bytesMax: number;
}

/** Writes that may wait for one trigger. */
export const QUEUED_BATCHES_MAX = 1024;

/** Rows of one call, beyond the write that passes it. */
const CALL_ROWS_MAX = 100_000;
const CALL_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Durable writes that wait for one trigger. A write that does not fit is left out: nothing here ever holds a write up.
 * A call of the plugin takes all that waits, up to a size, so a plugin that is slower than its writes gets larger calls.
 */
export class WalQueue {
  readonly #limits: WalQueueLimits;
  #batches: WalBatch[] = [];
  #bytes = 0;

  constructor(limits: WalQueueLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#batches.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Whether so much waits that the trigger will miss writes if it stays as slow. */
  get isHalfFull(): boolean {
    const { batchesMax, bytesMax } = this.#limits;
    return this.#batches.length > 1 && (this.#batches.length * 2 >= batchesMax || this.#bytes * 2 >= bytesMax);
  }

  /** False = the queue is full and the batch was left out. One batch always fits. */
  push(batch: WalBatch): boolean {
    const { batchesMax, bytesMax } = this.#limits;
    const isFull = this.#batches.length >= batchesMax || this.#bytes + batch.bytes > bytesMax;
    if (isFull && this.#batches.length > 0) return false;
    this.#batches.push(batch);
    this.#bytes += batch.bytes;
    return true;
  }

  /** The batches of the next call, oldest first; empty when nothing waits. */
  take(): WalBatch[] {
    let count = 0;
    let rows = 0;
    let bytes = 0;
    for (const batch of this.#batches) {
      if (count > 0 && (rows + batch.rowCount > CALL_ROWS_MAX || bytes + batch.bytes > CALL_BYTES_MAX)) break;
      count++;
      rows += batch.rowCount;
      bytes += batch.bytes;
    }
    this.#bytes -= bytes;
    const taken = this.#batches.slice(0, count);
    this.#batches = this.#batches.slice(count);
    return taken;
  }

  clear(): void {
    this.#batches = [];
    this.#bytes = 0;
  }
}
