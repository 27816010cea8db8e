/** Rows of a CSV text as it arrives, in pieces cut anywhere: commas, `"` quotes with `""`, rows end in `\n` or `\r\n`. */
export class CsvReader {
  readonly #onRow: (cells: string[]) => void;
  #cells: string[] = [];
  #rest = '';

  constructor(onRow: (cells: string[]) => void) {
    this.#onRow = onRow;
  }

  /** Takes the next piece. */
  push(text: string): void {
    const all = this.#rest + text;
    let at = 0;
    for (;;) {
      const next = this.#cell(all, at);
      if (next === undefined) break;
      at = next;
    }
    this.#rest = all.slice(at);
  }

  /** Takes the last row, which may have no line end. */
  end(): void {
    if (this.#rest !== '' || this.#cells.length > 0) this.push('\n');
  }

  /** Reads one cell with what ends it. Undefined: it does not end yet. */
  #cell(text: string, start: number): number | undefined {
    if (text[start] !== '"') {
      let at = start;
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') at += 1;
      if (at === text.length) return undefined;
      const cell = text[at] === '\n' && text[at - 1] === '\r' && at > start ? text.slice(start, at - 1) : text.slice(start, at);
      return this.#take(cell, text[at] === '\n', at + 1);
    }
    let at = start + 1;
    for (;;) {
      at = text.indexOf('"', at);
      if (at === -1 || at + 1 >= text.length) return undefined;
      if (text[at + 1] !== '"') break;
      at += 2;
    }
    const cell = text.slice(start + 1, at).replaceAll('""', '"');
    let after = at + 1;
    if (text[after] === '\r') after += 1;
    if (after >= text.length) return undefined;
    return this.#take(cell, text[after] === '\n', after + 1);
  }

  #take(cell: string, endsRow: boolean, next: number): number {
    this.#cells.push(cell);
    if (endsRow) {
      const cells = this.#cells;
      this.#cells = [];
      if (cells.length > 1 || cells[0] !== '') this.#onRow(cells);
    }
    return next;
  }
}
