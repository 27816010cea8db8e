import { CsvReader } from './csv.ts';

/** Rows that are kept; the answer is cut behind them. */
export const ROWS_MAX = 1_000_000;

/** A result in memory: texts by column. An empty text is null, or an empty text. */
export class TableData {
  readonly names: string[] = [];
  readonly columns: string[][] = [];
  /** True when the answer had more rows than are kept. */
  isCut = false;
  rowCount = 0;
  readonly #reader = new CsvReader((cells) => this.#row(cells));
  #hasHeader = false;

  /** Takes the next piece of a CSV answer. False: enough, the rest is not wanted. */
  push(text: string): boolean {
    this.#reader.push(text);
    return !this.isCut;
  }

  end(): void {
    this.#reader.end();
  }

  cell(row: number, column: number): string {
    return this.columns[column]?.[row] ?? '';
  }

  #row(cells: readonly string[]): void {
    if (!this.#hasHeader) {
      this.#hasHeader = true;
      for (const name of cells) {
        this.names.push(name);
        this.columns.push([]);
      }
      return;
    }
    if (this.rowCount === ROWS_MAX) {
      this.isCut = true;
      return;
    }
    for (let index = 0; index < this.columns.length; index += 1) this.columns[index]?.push(cells[index] ?? '');
    this.rowCount += 1;
  }
}

const NUMBER = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** Whether all values that there are, of those looked at, are numbers. */
export function isNumeric(values: readonly string[]): boolean {
  let found = false;
  const step = Math.max(1, Math.floor(values.length / 2000));
  for (let row = 0; row < values.length; row += step) {
    const value = values[row] ?? '';
    if (value === '') continue;
    if (!NUMBER.test(value)) return false;
    found = true;
  }
  return found;
}

/** Seconds since 1970 of a time as the server writes it, in UTC; not a number for other texts. */
export function timeSeconds(text: string): number {
  const match = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d+)?Z?$/.exec(text);
  return match === null ? Number.NaN : Date.parse(`${match[1]}T${match[2]}Z`) / 1000 + Number(match[3] ?? 0);
}
