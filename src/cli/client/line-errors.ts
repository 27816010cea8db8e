import { type Piece, rowLines } from './cut-lines.ts';

/** A line that the server did not store. */
export interface BadLine {
  /** Number in the input, from 1. */
  readonly line: number;
  readonly reason: string;
  /** Its text, as far as the server tells it. */
  readonly text: string;
}

/** Bad lines that are kept to be shown; all are counted. */
export const BAD_LINES_SHOWN_MAX = 10;

/** Characters of a bad line that are shown. */
const TEXT_MAX = 120;

/** The lines that were not stored: how many, and the first of them. */
export class BadLines {
  #count = 0;
  #first: BadLine[] = [];

  get count(): number {
    return this.#count;
  }

  /** The first ones of the input, in its order. */
  get first(): readonly BadLine[] {
    return this.#first;
  }

  add(lines: readonly BadLine[]): void {
    this.#count += lines.length;
    this.#first = [...this.#first, ...lines].sort((a, b) => a.line - b.line).slice(0, BAD_LINES_SHOWN_MAX);
  }

  /** One indented row for each line that is shown, and one for those that are not. */
  rows(): string[] {
    const rows = this.#first.map(({ line, reason, text }) => `  line ${line}: ${reason}: ${shortened(text)}`);
    const hidden = this.#count - this.#first.length;
    return hidden > 0 ? [...rows, `  and ${hidden} more`] : rows;
  }
}

interface WireLineError {
  readonly error_message: string;
  readonly line_number: number;
  readonly original_line: string;
}

/** The bad lines of a refusal of `/api/v3/write_lp`, numbered by the input; undefined when the answer is about something else. */
export function badLinesOf(answer: string, { body, firstLine, sourceLines }: Piece): BadLine[] | undefined {
  const errors = wireLineErrors(answer);
  if (errors === undefined) return undefined;
  const lines = sourceLines ?? rowLines(body).map((line) => firstLine + line - 1);
  return errors.map(({ error_message: reason, line_number: number, original_line: text }) => ({
    line: lines[number - 1] ?? firstLine,
    reason,
    text,
  }));
}

function wireLineErrors(answer: string): readonly WireLineError[] | undefined {
  try {
    const { data } = JSON.parse(answer) as { data?: unknown };
    if (!Array.isArray(data) || data.length === 0) return undefined;
    return data.every(isLineError) ? data : undefined;
  } catch {
    return undefined;
  }
}

function isLineError(value: unknown): value is WireLineError {
  const { line_number: number, error_message: reason } = (value ?? {}) as Partial<WireLineError>;
  return typeof number === 'number' && typeof reason === 'string';
}

function shortened(text: string): string {
  const line = text.replaceAll('\n', '\\n');
  return line.length > TEXT_MAX ? `${line.slice(0, TEXT_MAX)}…` : line;
}
