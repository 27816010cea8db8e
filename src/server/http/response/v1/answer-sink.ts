import { TextSink } from '../formats/index.ts';

/** A sink that counts what was handed on, so that what was not can be taken back. */
export class AnswerSink extends TextSink {
  #handedOn = 0;

  /** Bytes written so far, with those that were handed on. */
  get position(): number {
    return this.#handedOn + this.length;
  }

  /** True once something was handed on. */
  get begun(): boolean {
    return this.#handedOn > 0;
  }

  /** Forgets what was written behind a position. False when some of it was handed on; nothing is forgotten then. */
  back(position: number): boolean {
    if (position < this.#handedOn) return false;
    this.length = position - this.#handedOn;
    return true;
  }

  override take(): Buffer {
    this.#handedOn += this.length;
    return super.take();
  }
}
