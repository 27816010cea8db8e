/**
 * Tells that another process has taken over what this one stores: it found an object that it was about to create. From then on
 * nothing may be stored.
 */
export class Fence {
  #reason: string | undefined;
  #listeners: ((reason: string) => void)[] = [];

  /** Why; undefined = nobody has taken over. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Calls back once, at once when it has happened. */
  onLost(listener: (reason: string) => void): void {
    if (this.#reason !== undefined) listener(this.#reason);
    else this.#listeners.push(listener);
  }

  /**
   * @param place of the object that is not ours
   * @returns the error for what was about to be stored
   */
  lose(place: string): TakenOver {
    const reason = `another process has written '${place}' ahead of this one: it runs with the same --node-id on the same store, or has taken over`;
    this.end(reason);
    return new TakenOver(reason);
  }

  /** The same for a reason that is known. */
  end(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    for (const listener of this.#listeners.splice(0)) listener(reason);
  }
}

/** Another process has taken over; nothing was stored. */
export class TakenOver extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'TakenOver';
  }
}
