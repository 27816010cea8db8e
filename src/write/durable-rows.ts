import type { WalFileNumber } from '../shared/ids.ts';
import { decodeBatch, type TableSection } from './batch/index.ts';
import type { WriteOrigin } from './write-service.ts';

/** Place of a batch in the order in which writes became durable: positions of a process's batches only grow. */
export interface DurablePosition {
  /** WAL file that holds the batch. */
  readonly fileNumber: WalFileNumber;
  /** Number of its record in the file, from 0. */
  readonly index: number;
}

/** The rows of one write request, just durable and visible to queries. */
export interface DurableBatch {
  /** Who wrote them. */
  readonly origin: WriteOrigin;
  readonly position: DurablePosition;
  /**
   * Rows by table; decoded at the first call. The bytes never change and may be kept, for as long as their memory may be.
   * Series ids are those of the table's `SeriesIndex` during the call; the table may get another one later.
   */
  sections(): readonly TableSection[];
}

/** Called in the order of the log, before the write is answered. Must return quickly: writers wait for it. */
export type DurableListener = (batch: DurableBatch) => void;

/**
 * Tells listeners of rows that became durable; not of rows that replay brings back.
 *
 * Shared by: writes, which publish, and whoever listens. Safe because publishing is synchronous and goes over the listeners
 * that were there when it began.
 */
export class DurableRows {
  readonly #onError: (error: unknown) => void;
  #listeners: readonly DurableListener[] = [];

  /** @param onError told of a listener that throws; the write and the other listeners go on */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Returns the function that ends it; idempotent. */
  subscribe(listener: DurableListener): () => void {
    const own: DurableListener = (batch) => listener(batch);
    this.#listeners = [...this.#listeners, own];
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== own);
    };
  }

  publish(origin: DurableBatch['origin'], position: DurablePosition, body: Uint8Array): void {
    const listeners = this.#listeners;
    if (listeners.length === 0) return;
    let sections: readonly TableSection[] | undefined;
    const batch: DurableBatch = {
      origin,
      position,
      sections: () => {
        sections ??= decodeBatch(body);
        return sections;
      },
    };
    for (const listener of listeners) {
      try {
        listener(batch);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
