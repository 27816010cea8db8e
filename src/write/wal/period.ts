import type { WalFileNumber } from '../../shared/ids.ts';

/** One closed WAL file: a span of writing time, as the snapshot planner counts it. */
export interface WalPeriod {
  readonly fileNumber: WalFileNumber;
  /** Of the data, ns since the epoch. */
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  /** Size of the file. */
  readonly bytes: number;
}

/** The period that is being filled. Times and bytes count durable records only. */
export class OpenPeriod {
  readonly fileNumber: WalFileNumber;
  /** Monotonic ms of the first append; undefined = still empty. */
  startedAtMs: number | undefined = undefined;
  /** Records given out to be written, also the basis of their index. */
  appendedRecords = 0;
  appendedBytes = 0;
  durableRecords = 0;
  minTimeNs = 0n;
  maxTimeNs = 0n;
  /** No more records come, and listeners were told. */
  closed = false;

  constructor(fileNumber: WalFileNumber) {
    this.fileNumber = fileNumber;
  }

  addDurable(minTimeNs: bigint, maxTimeNs: bigint): void {
    if (this.durableRecords === 0 || minTimeNs < this.minTimeNs) this.minTimeNs = minTimeNs;
    if (this.durableRecords === 0 || maxTimeNs > this.maxTimeNs) this.maxTimeNs = maxTimeNs;
    this.durableRecords++;
  }
}
