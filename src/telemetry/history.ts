/** One minute, for the charts of the local page. Never sent. */
export interface MinuteSample {
  /** Wall clock at the end of the minute, milliseconds since the epoch. */
  readonly timeMs: number;
  /** Undefined when the operating system did not tell. */
  readonly cpuPercent: number | undefined;
  readonly memoryMib: number | undefined;
  readonly writeRequests: number;
  readonly writeLines: number;
  readonly writeBytes: number;
  readonly queryRequests: number;
}

/** Minutes kept: one day. */
const HISTORY_MINUTES_MAX = 1440;

/** The last day, minute by minute, in memory only. */
export class MinuteHistory {
  private samples: MinuteSample[] = [];

  add(sample: MinuteSample): void {
    this.samples.push(sample);
    if (this.samples.length > HISTORY_MINUTES_MAX) this.samples.shift();
  }

  /** Oldest first. */
  list(): readonly MinuteSample[] {
    return [...this.samples];
  }
}
