import type { WalFileNumber } from '../../shared/ids.ts';

/** What snapshots did since the start, for metrics. Times in ms; wall clock since the epoch. */
export interface SnapshotTotals {
  readonly runs: number;
  /** Attempts of a step that failed; each was tried again, or its table was set aside. */
  readonly failures: number;
  readonly durationMs: number;
  /** Undefined = none has finished yet. */
  readonly lastEndedAtMs: number | undefined;
  readonly lastDurationMs: number | undefined;
  /** When the oldest log file that no snapshot covers was closed (those of before the start: the start); undefined = there is none. */
  readonly oldestUncoveredAtMs: number | undefined;
}

/** Counts snapshots, and remembers since when log files wait for one. */
export class SnapshotFigures {
  #runs = 0;
  #failures = 0;
  #durationMs = 0;
  #last: { readonly endedAtMs: number; readonly durationMs: number } | undefined;
  /** Wall clock by file number, ascending. */
  readonly #closedAtMs = new Map<WalFileNumber, number>();

  get totals(): SnapshotTotals {
    const [oldest] = this.#closedAtMs.values();
    return {
      runs: this.#runs,
      failures: this.#failures,
      durationMs: this.#durationMs,
      lastEndedAtMs: this.#last?.endedAtMs,
      lastDurationMs: this.#last?.durationMs,
      oldestUncoveredAtMs: oldest,
    };
  }

  failed(): void {
    this.#failures++;
  }

  fileClosed(fileNumber: WalFileNumber, nowMs: number): void {
    this.#closedAtMs.set(fileNumber, nowMs);
  }

  /** A snapshot is durable: it covers log files up to `lastCovered`. */
  ended(lastCovered: WalFileNumber, nowMs: number, durationMs: number): void {
    this.#runs++;
    this.#durationMs += durationMs;
    this.#last = { endedAtMs: nowMs, durationMs };
    for (const fileNumber of [...this.#closedAtMs.keys()]) if (fileNumber <= lastCovered) this.#closedAtMs.delete(fileNumber);
  }
}
