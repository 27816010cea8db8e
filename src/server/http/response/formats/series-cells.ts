import type { TextSink } from './text-sink.ts';

/** Texts kept; with more series they are made anew. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

/** Neighbouring columns that are the same in all rows of a series: their text is made once a series, and copied from then on. */
export class SeriesCells {
  readonly #sink: TextSink;
  #owner: object | undefined;
  #texts: (Uint8Array | undefined)[] = [];
  #bytes = 0;

  constructor(sink: TextSink) {
    this.#sink = sink;
  }

  /** @param write writes the columns of one row */
  writer({ ids, owner }: { readonly ids: Int32Array; readonly owner: object }, write: (row: number) => void): (row: number) => void {
    const sink = this.#sink;
    if (owner !== this.#owner || this.#bytes > KEPT_BYTES_MAX) {
      this.#owner = owner;
      this.#texts = [];
      this.#bytes = 0;
    }
    const texts = this.#texts;
    return (row) => {
      const id = ids[row] as number;
      const text = texts[id];
      if (text !== undefined) {
        sink.append(text);
        return;
      }
      const start = sink.length;
      write(row);
      const made = Uint8Array.prototype.slice.call(sink.bytes, start, sink.length);
      texts[id] = made;
      this.#bytes += made.length;
    };
  }
}
