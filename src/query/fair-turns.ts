/**
 * Lets one task begin every second turn of the event loop; the others wait for their turns, in their order. What a burst of
 * statements computes on this thread does not come before the writes that arrive meanwhile: those are looked for between turns.
 */
export class FairTurns {
  readonly #waiting: (() => void)[] = [];
  #taken = false;

  /** Resolves when it is the caller's turn; at once when nobody has had this one. */
  take(): Promise<void> {
    if (this.#taken) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#taken = true;
    setImmediate(() => setImmediate(() => this.#next()));
    return Promise.resolve();
  }

  #next(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#taken = false;
      return;
    }
    next();
    // A turn in between: what came while the task ran gets its disk write under way before the next task computes.
    setImmediate(() => setImmediate(() => this.#next()));
  }
}
