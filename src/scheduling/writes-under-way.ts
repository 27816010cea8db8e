import { systemTimers, type Timers } from '../shared/timers.ts';

/** Takes writes (`WriteService` of `src/write`). */
interface WriteTarget<Request, Outcome> {
  write(request: Request): Promise<Outcome>;
}

/** Knows whether writes are between their arrival and their answer, so that work that can wait lets them go first. */
export class WritesUnderWay<Request, Outcome> implements WriteTarget<Request, Outcome> {
  readonly #to: WriteTarget<Request, Outcome>;
  readonly #timers: Timers;
  readonly #waiting = new Set<() => void>();
  #count = 0;

  constructor(to: WriteTarget<Request, Outcome>, timers: Timers = systemTimers) {
    this.#to = to;
    this.#timers = timers;
  }

  get any(): boolean {
    return this.#count > 0;
  }

  async write(request: Request): Promise<Outcome> {
    this.#count++;
    try {
      return await this.#to.write(request);
    } finally {
      if (--this.#count === 0) for (const go of [...this.#waiting]) go();
    }
  }

  /** Resolves when no write is under way, after `msMax` in any case: under a load of writes there is no such moment. */
  passed(msMax: number): Promise<void> {
    if (!this.any) return Promise.resolve();
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        this.#waiting.delete(go);
        resolve();
      };
      const cancel = this.#timers.after(msMax, go, 'keepsAlive');
      this.#waiting.add(go);
    });
  }
}
