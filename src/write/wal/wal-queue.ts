import type { InfluxError } from '../../shared/errors.ts';
import type { WalFileNumber } from '../../shared/ids.ts';
import type { OpenPeriod } from './period.ts';
import type { UnwrittenRecord } from './record-group.ts';

/** Told of a record that is durable: its body, the WAL file and the number of the record in it. */
export type DurableCallback = (body: Uint8Array, fileNumber: WalFileNumber, index: number) => void;

/** One record on its way to the disk. */
export interface QueuedRecord extends UnwrittenRecord {
  readonly kind: 'record';
  readonly period: OpenPeriod;
  /** Bytes in the file, header and padding included. */
  readonly bytes: number;
  readonly onDurable: DurableCallback;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** End of a period, behind its last record. Undefined period = only a mark to wait for. */
export interface QueuedSeal {
  readonly kind: 'seal';
  readonly period: OpenPeriod | undefined;
  readonly resolve: () => void;
}

/** Records that wait for the disk, with the limits that bound them. */
export class WalQueue {
  #items: (QueuedRecord | QueuedSeal)[] = [];
  #recordCount = 0;
  #sealCount = 0;
  #bytes = 0;
  readonly #bytesMax: number;
  #waiting: (() => void)[] = [];

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Records that are queued or being written. */
  get recordCount(): number {
    return this.#recordCount;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get first(): QueuedRecord | QueuedSeal | undefined {
    return this.#items[0];
  }

  /** Whether the end of a period is queued. */
  get hasSeal(): boolean {
    return this.#sealCount > 0;
  }

  push(item: QueuedRecord | QueuedSeal): void {
    this.#items.push(item);
    if (item.kind === 'seal') {
      this.#sealCount++;
    } else {
      this.#recordCount++;
      this.#bytes += item.bytes;
    }
  }

  shift(): void {
    if (this.#items.shift()?.kind === 'seal') this.#sealCount--;
  }

  /** Takes the leading records of one period, about `bytesMax` at most. They count as queued until `settle`. */
  takeBatch(bytesMax: number): QueuedRecord[] {
    const batch: QueuedRecord[] = [];
    let bytes = 0;
    for (const item of this.#items) {
      if (item.kind === 'seal' || (batch.length > 0 && (item.period !== batch[0]?.period || bytes >= bytesMax))) break;
      batch.push(item);
      bytes += item.bytes;
    }
    this.#items = batch.length === this.#items.length ? [] : this.#items.slice(batch.length);
    return batch;
  }

  /** Takes everything out. Records count as queued until `settle`. */
  takeAll(): (QueuedRecord | QueuedSeal)[] {
    const items = this.#items;
    this.#items = [];
    this.#sealCount = 0;
    return items;
  }

  /** Takes all records of a period out, wherever they stand. */
  takePeriod(period: OpenPeriod): QueuedRecord[] {
    const taken: QueuedRecord[] = [];
    this.#items = this.#items.filter((item) => {
      if (item.kind === 'seal' || item.period !== period) return true;
      taken.push(item);
      return false;
    });
    return taken;
  }

  /** The records are durable or failed: their room is free. */
  settle(records: readonly QueuedRecord[]): void {
    for (const record of records) {
      this.#recordCount--;
      this.#bytes -= record.bytes;
    }
    if (this.#bytes >= this.#bytesMax) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Resolves when less than the limit waits. */
  whenRoom(): Promise<void> {
    if (this.#bytes < this.#bytesMax) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

/** Fails the writes that wait for these records. */
export function rejectAll(records: readonly QueuedRecord[], error: InfluxError): void {
  for (const record of records) record.reject(error);
}

/** Tells of a record that is durable. */
export function complete(record: QueuedRecord): void {
  try {
    record.onDurable(record.body, record.period.fileNumber, record.index);
    record.resolve();
  } catch (error) {
    record.reject(error); // a bug of the caller must not stop the log
  }
}
