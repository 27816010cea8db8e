import type { ResultType, ResultVector, ValidBits } from '../../../../query/result.ts';
import type { ColumnCells, WriteCell } from './cells.ts';
import { writeJsonString } from './json-values.ts';
import type { TextSink } from './text-sink.ts';

/** How a format writes lists, structs and maps: `[1, 2]`, `{a: 1}`. */
export interface NestedStyle {
  readonly separator: string;
  readonly colon: string;
  /** What stands for an item or a member that is null. */
  readonly nullText: string;
  readonly skipsNullMembers: boolean;
  /** Names of members are JSON strings. */
  readonly quotesNames: boolean;
}

type NestedVector = Extract<ResultVector, { kind: 'list' | 'struct' | 'map' }>;

/** Writes the lists, structs and maps of one column. */
export class NestedCells {
  readonly #sink: TextSink;
  readonly #style: NestedStyle;
  readonly #parts: readonly ColumnCells[];
  readonly #names: readonly string[];

  /** `part` makes the writer of an item, a member, a key or a value. */
  constructor(sink: TextSink, type: ResultType, style: NestedStyle, part: (type: ResultType) => ColumnCells) {
    this.#sink = sink;
    this.#style = style;
    this.#parts = partsOf(type).map(part);
    this.#names =
      type.kind === 'struct' ? type.members.map(({ name }) => `${style.quotesNames ? JSON.stringify(name) : name}${style.colon}`) : [];
  }

  writer(vector: NestedVector): WriteCell {
    const { valid } = vector;
    const write = this.#writer(vector);
    return (row) => {
      if (isNull(valid, row)) return false;
      write(row);
      return true;
    };
  }

  #writer(vector: NestedVector): (row: number) => void {
    switch (vector.kind) {
      case 'list':
        return this.#list(vector.offsets, this.#part(0, vector.item));
      case 'struct':
        return this.#struct(vector.members.map((member, i) => this.#part(i, member)));
      case 'map':
        return this.#map(vector.offsets, this.#part(0, vector.key), this.#part(1, vector.value));
    }
  }

  #part(index: number, vector: ResultVector): WriteCell {
    return (this.#parts[index] as ColumnCells).writer(vector);
  }

  #list(offsets: Uint32Array, item: WriteCell): (row: number) => void {
    const sink = this.#sink;
    const { separator, nullText } = this.#style;
    return (row) => {
      sink.ascii('[');
      const from = offsets[row] as number;
      const to = offsets[row + 1] as number;
      for (let at = from; at < to; at++) {
        if (at > from) sink.ascii(separator);
        if (!item(at)) sink.ascii(nullText);
      }
      sink.ascii(']');
    };
  }

  #struct(members: readonly WriteCell[]): (row: number) => void {
    const sink = this.#sink;
    return (row) => {
      sink.ascii('{');
      let first = true;
      members.forEach((member, i) => {
        if (this.#member(first, () => sink.utf8(this.#names[i] as string), member, row)) first = false;
      });
      sink.ascii('}');
    };
  }

  #map(offsets: Uint32Array, key: WriteCell, value: WriteCell): (row: number) => void {
    const sink = this.#sink;
    return (row) => {
      sink.ascii('{');
      let first = true;
      for (let at = offsets[row] as number; at < (offsets[row + 1] as number); at++) {
        if (this.#member(first, () => this.#key(key, at), value, at)) first = false;
      }
      sink.ascii('}');
    };
  }

  /** False = the member is null and nothing was written. */
  #member(first: boolean, writeName: () => void, value: WriteCell, row: number): boolean {
    const sink = this.#sink;
    const { separator, nullText, skipsNullMembers } = this.#style;
    const start = sink.length;
    if (!first) sink.ascii(separator);
    writeName();
    if (value(row)) return true;
    if (skipsNullMembers) sink.length = start;
    else sink.ascii(nullText);
    return !skipsNullMembers;
  }

  /** Keys that are not texts become some where names are quoted. */
  #key(key: WriteCell, row: number): void {
    const sink = this.#sink;
    const start = sink.length;
    key(row);
    if (this.#style.quotesNames && sink.bytes[start] !== 0x22) {
      const text = sink.bytes.toString('utf8', start, sink.length);
      sink.length = start;
      writeJsonString(sink, text);
    }
    sink.ascii(this.#style.colon);
  }
}

function partsOf(type: ResultType): readonly ResultType[] {
  switch (type.kind) {
    case 'list':
      return [type.item];
    case 'struct':
      return type.members.map((member) => member.type);
    case 'map':
      return [type.key, type.value];
    default:
      return [];
  }
}

function isNull(valid: ValidBits, row: number): boolean {
  return valid !== undefined && ((valid[row >> 3] as number) & (1 << (row & 7))) === 0;
}
