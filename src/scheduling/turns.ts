/** Bounds how many calls of the engine run at the same time; the others wait in the order in which they came. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = Math.max(1, count);
  }

  /** Runs `task` when it is its turn. Rejects with the reason of `signal`, and never runs it, when that comes first. */
  async take<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      const begin = (): void => {
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal?.reason);
      };
      this.#waiting.push(begin);
      signal?.addEventListener('abort', leave, { once: true });
    });
  }
}

/** Threads of the runtime's pool that queries leave to the log, the snapshots and other files. */
const RESERVED_THREADS = 2;
const DEFAULT_POOL_THREADS = 4;

/** Calls of the engine that queries may make at the same time: each takes a thread of the runtime's pool. */
export function queryTurns(poolSize: string | undefined): Turns {
  const threads = Number(poolSize ?? DEFAULT_POOL_THREADS);
  return new Turns((Number.isInteger(threads) && threads > 0 ? threads : DEFAULT_POOL_THREADS) - RESERVED_THREADS);
}
