import { InfluxError } from '../../shared/errors.ts';

export interface MemoryWatchOptions {
  /** Memory of the process at which a query is ended, bytes. */
  readonly limitBytes: number;
  /** Memory of the process now, bytes. */
  readonly residentBytes: () => number;
}

/** One query under watch. */
export interface WatchedQuery {
  /** The watch has ended it. */
  readonly exceeded: boolean;
  /** Ends the watch. */
  done(): void;
}

/** Time between two looks while queries run, ms. */
const LOOK_MS = 20;

/** After a query was ended its memory needs time to come back before another one is blamed, ms. */
const RELIEF_MS = 300;

interface Entry {
  exceeded: boolean;
  readonly interrupt: () => void;
}

/**
 * Ends a query before the system would end the server. The engine keeps its own limit, but some of what it builds (the
 * lists and texts of aggregates) is outside of it. The query that has run longest is the one that is ended.
 */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  /** In the order of their start. */
  readonly #running = new Set<Entry>();
  #timer: NodeJS.Timeout | undefined;
  #waitUntilMs = 0;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  /** Watches a query until `done`; `interrupt` makes it fail soon. */
  watch(interrupt: () => void): WatchedQuery {
    const entry: Entry = { exceeded: false, interrupt };
    this.#running.add(entry);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
    return {
      get exceeded() {
        return entry.exceeded;
      },
      done: () => {
        this.#running.delete(entry);
      },
    };
  }

  #look(): void {
    if (this.#running.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const nowMs = performance.now();
    if (nowMs < this.#waitUntilMs || this.#options.residentBytes() < this.#options.limitBytes) return;
    for (const entry of this.#running) {
      if (entry.exceeded) continue;
      entry.exceeded = true;
      this.#waitUntilMs = nowMs + RELIEF_MS;
      entry.interrupt();
      return;
    }
  }
}

/** The query was ended, or would have been, because of the memory that it needs. */
export function needsTooMuchMemory(cause?: unknown): InfluxError {
  return new InfluxError({
    code: 'SQL_MEMORY',
    message: 'Resources exhausted: the query needs more memory than the server allows',
    status: 500,
    cause,
  });
}
