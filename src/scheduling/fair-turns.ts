import { nextTurn } from '../shared/timers.ts';

/** Writes that came and are not answered yet. */
export interface WritesAhead {
  readonly any: boolean;
  /** Resolves when there are none, after `msMax` in any case. */
  passed(msMax: number): Promise<void>;
}

/** So long a piece of a statement waits for writes: as long as most of them take. */
const WAIT_MS_MAX = 2;

/**
 * Lets statements compute piece by piece, one piece every second turn of the event loop, in the order in which they ask.
 * Between turns the writes are read that arrived meanwhile, and what came goes first: a write waits for one piece at most,
 * however many statements there are.
 */
export class FairTurns {
  readonly #writes: WritesAhead | undefined;
  readonly #waiting: (() => void)[] = [];
  #serving = false;

  constructor(writes?: WritesAhead) {
    this.#writes = writes;
  }

  /** Resolves when it is the caller's turn to compute; at once when nobody has had this one and no write is under way. */
  take(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (!this.#serving) void this.#serve();
    });
  }

  /** Never rejects. */
  async #serve(): Promise<void> {
    this.#serving = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if (this.#writes?.any === true) {
        await this.#writes.passed(WAIT_MS_MAX);
        // Their answers leave first.
        await nextTurn();
      }
      next();
      // A turn in between: what came while the piece ran gets its disk write under way before the next one.
      await nextTurn();
      await nextTurn();
    }
    this.#serving = false;
  }
}
