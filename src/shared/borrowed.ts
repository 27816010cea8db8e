import { assert } from './assert.ts';

/** What a borrower may return: anything but a promise, which would mean that it goes on when the loan is over. */
export type Settled<R> = R extends PromiseLike<unknown> ? never : R;

/**
 * A value whose memory its owner uses again, lent for the length of one synchronous call. Cannot be kept: after the call
 * `value` throws, and the call cannot be asynchronous. Copy what is needed for longer.
 */
export class Borrowed<T> {
  #value: { readonly lent: T } | undefined;

  private constructor(value: T) {
    this.#value = { lent: value };
  }

  /** Lends `value` to `use` and returns what that returns. Throws what it throws, and when it returns a promise. */
  static lend<T, R>(value: T, use: (borrowed: Borrowed<T>) => Settled<R>): R {
    const borrowed = new Borrowed(value);
    try {
      const result = use(borrowed);
      assert(!isPromise(result), 'lent memory must not be used asynchronously');
      return result;
    } finally {
      borrowed.#value = undefined;
    }
  }

  /** The lent value. Throws when the loan is over. */
  get value(): T {
    assert(this.#value !== undefined, 'lent memory is used after it was given back');
    return this.#value.lent;
  }
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
