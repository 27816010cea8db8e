import type { FieldKind, Shape } from './shapes.ts';

/** Everything that decides a cell: nothing that is written has to be remembered, it can be computed again. */
export interface Stamp {
  readonly writer: number;
  /** Number of the operation, counted by its writer. */
  readonly operation: number;
  /** 0 for a value that the same body replaces further down, else 1. */
  readonly pass: number;
  /** Row of the block. */
  readonly row: number;
}

export const WRITERS_MAX = 32;
export const ROWS_MAX = 8192;

/** Distance of the rows of a block; whole microseconds, so that a body may be sent in these too. */
export const STEP_NS = 7_001_000;

const kinds: readonly FieldKind[] = ['integer', 'float', 'uinteger', 'boolean', 'string'];
const letters = ['i', 'f', 'u', 'b', 't'];

export function fieldKind(field: number): FieldKind {
  return kinds[field % kinds.length] as FieldKind;
}

/** Names as `i0`, `f0`, `u0`, `b0`, `t0`, `i1` and so on. */
export function fieldName(field: number): string {
  return `${letters[field % letters.length]}${Math.floor(field / letters.length)}`;
}

/** The field of that name, undefined when no field is called so. */
export function fieldOfName(name: string): number | undefined {
  const letter = letters.indexOf(name[0] ?? '');
  const round = Number(name.slice(1));
  return letter < 0 || !/^\d+$/.test(name.slice(1)) ? undefined : round * letters.length + letter;
}

/** A number below 2^46 that no other cell of the same kind has. */
export function cellNumber({ writer, operation, pass, row }: Stamp, field: number): number {
  return (
    ((((operation * 2 + pass) * WRITERS_MAX + writer) * ROWS_MAX + row) * 8 + Math.floor(field / kinds.length)) * (writer % 2 ? -1 : 1)
  );
}

const fillers = [
  '',
  'a, b',
  'quote " and \\ backslash',
  'é ü 漢字 🙂',
  'line\nbreak',
  'x'.repeat(40),
  ' padded ',
  'long text that does not fit into sixteen bytes',
];

function text(stamp: Stamp, field: number): string {
  return `${cellNumber(stamp, field)}/${fillers[(stamp.row + stamp.operation + field) % fillers.length]}`;
}

function unsigned(stamp: Stamp, field: number): string {
  return `1${String(Math.abs(cellNumber(stamp, field))).padStart(19, '0')}`;
}

function truth(stamp: Stamp, field: number): boolean {
  return ((Math.imul((stamp.operation * 31 + stamp.row + field + stamp.pass) | 0, 0x9e3779b1) >>> 16) & 1) === 1;
}

/** A cell in line protocol. */
export function cellLine(stamp: Stamp, field: number): string {
  switch (fieldKind(field)) {
    case 'integer':
      return `${cellNumber(stamp, field)}i`;
    case 'float':
      return `${cellNumber(stamp, field) / 7}`;
    case 'uinteger':
      return `${unsigned(stamp, field)}u`;
    case 'boolean':
      return truth(stamp, field) ? 'true' : 'false';
    default:
      return `"${text(stamp, field).replace(/["\\]/g, '\\$&')}"`;
  }
}

/** A cell as people read it. */
export function cellText(stamp: Stamp, field: number): string {
  switch (fieldKind(field)) {
    case 'integer':
      return `${cellNumber(stamp, field)}`;
    case 'float':
      return `${cellNumber(stamp, field) / 7}`;
    case 'uinteger':
      return unsigned(stamp, field);
    case 'boolean':
      return String(truth(stamp, field));
    default:
      return text(stamp, field);
  }
}

/** A cell of an answer: text of CSV, or what JSON and Parquet give. */
export type Cell = string | number | bigint | boolean | undefined;

/** Whether an answer's cell is the value that was written. Numbers of JSON are compared with what a double can hold. */
export function isCell(actual: Cell, stamp: Stamp, field: number): boolean {
  switch (fieldKind(field)) {
    case 'integer':
      return typeof actual !== 'boolean' && actual !== undefined && Number(actual) === cellNumber(stamp, field);
    case 'float':
      return typeof actual !== 'boolean' && actual !== undefined && Number(actual) === cellNumber(stamp, field) / 7;
    case 'uinteger':
      return typeof actual === 'number' ? actual === Number(unsigned(stamp, field)) : String(actual) === unsigned(stamp, field);
    case 'boolean':
      return typeof actual === 'boolean' ? actual === truth(stamp, field) : actual === String(truth(stamp, field));
    default:
      return actual === text(stamp, field);
  }
}

/** Who wrote an integer cell: the reverse of `cellNumber`. */
export function readCellNumber(value: number): { readonly stamp: Stamp; readonly round: number } {
  let rest = Math.abs(value);
  const take = (size: number): number => {
    const part = rest % size;
    rest = Math.floor(rest / size);
    return part;
  };
  const round = take(8);
  const row = take(ROWS_MAX);
  const writer = take(WRITERS_MAX);
  const pass = take(2);
  return { stamp: { writer, operation: rest, pass, row }, round };
}

export function writerName(writer: number): string {
  return `w${writer}`;
}

/** The tag `s` of a row. */
export function seriesName(shape: Shape, row: number): string {
  switch (shape.series) {
    case 'own':
      return `n${shape.unique}.${row}`;
    case 'odd':
      return `a b,c=${row % shape.seriesCount} é`;
    default:
      return `s${row % shape.seriesCount}`;
  }
}

/** The tag that only some blocks have, on two rows of three; undefined = absent. */
export function extraTag(shape: Shape, row: number): string | undefined {
  return shape.extraTag === undefined || row % 3 === 2 ? undefined : `v${row % 2}`;
}

export function escapeTag(value: string): string {
  return value.replace(/[ ,=]/g, '\\$&');
}
