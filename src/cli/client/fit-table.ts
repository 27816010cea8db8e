import { displayWidth } from '../../shared/display-width.ts';

/** Narrower than this no column gets. */
const COLUMN_WIDTH_MIN = 6;

const RULE = /^\+(?:-+\+)+$/;

/** Fits the lines of one text table into a terminal: wide columns are cut with `…`, and columns that have no room at all are left out on the right. */
export class TableFitter {
  readonly #columnsMax: number;
  #widths: readonly number[] = [];
  #shown: readonly number[] = [];
  #isCut = false;

  /** `columnsMax` = width of the terminal in characters. */
  constructor(columnsMax: number) {
    this.#columnsMax = columnsMax;
  }

  /** Whether something was left out so far. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** One line of the table, without its end, as it fits. Lines that are no part of a table stay. */
  line(text: string): string {
    if (RULE.test(text)) {
      if (this.#widths.length === 0) this.#measure(text);
      if (!this.#isCut) return text;
      return `+${this.#shown.map((width) => '-'.repeat(width + 2)).join('+')}+${this.#rest('--+')}`;
    }
    if (!this.#isCut || !text.startsWith('|')) return text;
    const cells = splitCells(text, this.#widths);
    return `|${this.#shown.map((width, index) => ` ${cutText(cells[index] ?? '', width)} `).join('|')}|${this.#rest(' …|')}`;
  }

  #rest(text: string): string {
    return this.#shown.length < this.#widths.length ? text : '';
  }

  #measure(rule: string): void {
    this.#widths = rule
      .slice(1, -1)
      .split('+')
      .map((dashes) => dashes.length - 2);
    this.#shown = fittingWidths(this.#widths, this.#columnsMax);
    this.#isCut = this.#shown.length < this.#widths.length || this.#shown.some((width, index) => width !== this.#widths[index]);
  }
}

/** Widths of the columns that are shown: as they are if they fit, else the widest ones are cut to one width. */
function fittingWidths(widths: readonly number[], columnsMax: number): readonly number[] {
  const frame = (count: number): number => 3 * count + 1;
  const sum = (list: readonly number[]): number => list.reduce((total, width) => total + width, 0);
  if (sum(widths) + frame(widths.length) <= columnsMax) return widths;
  let shown = widths;
  const least = (list: readonly number[]): number => sum(list.map((width) => Math.min(width, COLUMN_WIDTH_MIN))) + frame(list.length);
  const REST_COLUMNS = 3;
  while (shown.length > 1 && least(shown) + (shown.length < widths.length ? REST_COLUMNS : 0) > columnsMax) shown = shown.slice(0, -1);
  const room = columnsMax - frame(shown.length) - (shown.length < widths.length ? REST_COLUMNS : 0);
  let cap = COLUMN_WIDTH_MIN;
  while (sum(shown.map((width) => Math.min(width, cap + 1))) <= room && cap < room) cap += 1;
  return shown.map((width) => Math.min(width, cap));
}

/** The cells of a row, cut where the rule says: a cell may hold `|` itself. */
function splitCells(row: string, widths: readonly number[]): string[] {
  const chars = [...row];
  const cells: string[] = [];
  let at = 2; // behind `| `
  for (const width of widths) {
    let text = '';
    for (let taken = 0; taken < width && at < chars.length; at += 1) {
      const char = chars[at] ?? '';
      text += char;
      taken += displayWidth(char);
    }
    // Marks without a width belong to the character before them.
    for (; at < chars.length && displayWidth(chars[at] ?? '') === 0; at += 1) text += chars[at] ?? '';
    cells.push(text);
    at += 3; // ` | `
  }
  return cells;
}

function cutText(text: string, width: number): string {
  const trimmed = text.trimEnd();
  if (displayWidth(trimmed) <= width) return trimmed + ' '.repeat(width - displayWidth(trimmed));
  let kept = '';
  let taken = 0;
  for (const char of trimmed) {
    const next = taken + displayWidth(char);
    if (next > width - 1) break;
    kept += char;
    taken = next;
  }
  return `${kept}…${' '.repeat(width - 1 - taken)}`;
}
