import type { Clock } from '../shared/clock.ts';

export type TriggerLogLevel = 'INFO' | 'WARN' | 'ERROR';

export interface TriggerLogRow {
  readonly timeNs: bigint;
  readonly databaseId: number;
  readonly trigger: string;
  readonly level: TriggerLogLevel;
  readonly text: string;
}

/** Rows that are kept for the whole server. */
export const TRIGGER_LOG_ROWS_MAX = 10_000;

/** Text of a row; longer ones are cut. */
const TEXT_CHARS_MAX = 64 * 1024;

/** Characters of all kept rows together: plugins may log as much as they like, the oldest rows go. */
const CHARS_MAX = 64 * 1024 * 1024;

/** What triggers and their plugins logged, newest rows only, in memory. */
export class TriggerLog {
  readonly #clock: Clock;
  readonly #charsMax: number;
  /** Oldest first, from `#first` on. */
  #rows: TriggerLogRow[] = [];
  #first = 0;
  #chars = 0;

  constructor(clock: Clock, charsMax = CHARS_MAX) {
    this.#clock = clock;
    this.#charsMax = charsMax;
  }

  add(databaseId: number, trigger: string, level: TriggerLogLevel, text: string): void {
    const kept = text.length > TEXT_CHARS_MAX ? `${text.slice(0, TEXT_CHARS_MAX)} …` : text;
    this.#rows.push({ timeNs: this.#clock.nowNs(), databaseId, trigger, level, text: kept });
    this.#chars += kept.length;
    while (
      this.#rows.length - this.#first > TRIGGER_LOG_ROWS_MAX ||
      (this.#chars > this.#charsMax && this.#first < this.#rows.length - 1)
    ) {
      this.#chars -= this.#rows[this.#first]?.text.length ?? 0;
      this.#first++;
    }
    if (this.#first > TRIGGER_LOG_ROWS_MAX) {
      this.#rows = this.#rows.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Oldest first; undefined = of all databases. */
  rows(databaseId: number | undefined): TriggerLogRow[] {
    const rows = this.#rows.slice(this.#first);
    return databaseId === undefined ? rows : rows.filter((row) => row.databaseId === databaseId);
  }
}
