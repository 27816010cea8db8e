/**
 * Shared by: the host, which hands pieces over one at a time; the HTTP reply, which takes them. Safe because each step is
 * synchronous, and only one piece is on its way.
 */
import type { EngineResponse } from '../processing-service.ts';
import type { AnswerHead } from './plugin-host.ts';

/** A long answer of a request plugin on its way to its client. What is begun cannot become an error answer any more. */
export class AnswerStream {
  readonly #onBegin: (response: EngineResponse) => void;
  #isBegun = false;
  #isOver = false;
  #failure: Error | undefined;
  #piece: { readonly bytes: Uint8Array; readonly taken: (more: boolean) => void } | undefined;
  #wake: () => void = () => undefined;

  /** `onBegin` is told once, with the answer whose body the pieces are. */
  constructor(onBegin: (response: EngineResponse) => void) {
    this.#onBegin = onBegin;
  }

  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Hands a piece over. Resolves when the client has room for the next one; false = nobody wants it. */
  push({ headers, length, status }: AnswerHead, bytes: Uint8Array): Promise<boolean> {
    if (this.#isOver) return Promise.resolve(false);
    if (!this.#isBegun) {
      this.#isBegun = true;
      this.#onBegin({ status, headers, body: { length, pieces: this.#pieces() } });
    }
    return new Promise((taken) => {
      this.#piece = { bytes, taken };
      this.#wake();
    });
  }

  /** The answer is complete, or with a failure never will be. */
  end(failure?: Error): void {
    this.#isOver = true;
    this.#failure = failure;
    this.#wake();
  }

  async *#pieces(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#piece;
        if (this.#failure !== undefined) throw this.#failure;
        if (piece !== undefined) {
          yield piece.bytes;
          this.#piece = undefined;
          piece.taken(true);
        } else if (this.#isOver) {
          return;
        }
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          if (this.#piece !== undefined || this.#isOver) resolve();
        });
      }
    } finally {
      this.#isOver = true;
      this.#piece?.taken(false);
    }
  }
}
