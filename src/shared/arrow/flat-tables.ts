/**
 * Writes FlatBuffers (https://flatbuffers.dev/internals/), as far as Arrow's messages need them: tables, strings, vectors
 * of tables and of 32-bit numbers. Children stand behind their parents, so everything is written from front to back.
 */

/** A field of a table: its number in the schema, and its value. Absent fields have their default. */
export type FlatField =
  | { readonly id: number; readonly kind: 'uint8' | 'int16' | 'int32'; readonly value: number }
  | { readonly id: number; readonly kind: 'int64'; readonly value: bigint }
  | { readonly id: number; readonly kind: 'string'; readonly value: string }
  | { readonly id: number; readonly kind: 'table'; readonly value: FlatTable }
  | { readonly id: number; readonly kind: 'tables'; readonly value: readonly FlatTable[] }
  | { readonly id: number; readonly kind: 'numbers'; readonly value: readonly number[] };

export type FlatTable = readonly FlatField[];

const SIZES = { uint8: 1, int16: 2, int32: 4, int64: 8, string: 4, table: 4, tables: 4, numbers: 4 } as const;

/** The bytes of a buffer whose root is the table; their number is a multiple of 8. */
export function flatBuffer(root: FlatTable): Buffer {
  const writer = new FlatWriter();
  const start = writer.take(4, 4);
  writer.point(start, writer.table(root));
  return writer.finish();
}

class FlatWriter {
  #bytes = Buffer.alloc(1024);
  #length = 0;

  /** Room of `size` bytes at a multiple of `alignment`, zeroed. */
  take(size: number, alignment: number): number {
    const at = Math.ceil(this.#length / alignment) * alignment;
    this.#length = at + size;
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.alloc(Math.max(this.#length, this.#bytes.length * 2));
      this.#bytes.copy(grown);
      this.#bytes = grown;
    }
    return at;
  }

  /** Makes the offset at one place lead to another one behind it. */
  point(from: number, to: number): void {
    this.#bytes.writeUInt32LE(to - from, from);
  }

  table(fields: FlatTable): number {
    const slots = fields.reduce((count, { id }) => Math.max(count, id + 1), 0);
    const vtable = this.take(4 + slots * 2, 2);
    let size = 4;
    const places = fields.map(({ kind }) => {
      const place = Math.ceil(size / SIZES[kind]) * SIZES[kind];
      size = place + SIZES[kind];
      return place;
    });
    const table = this.take(size, 8);
    this.#bytes.writeUInt16LE(4 + slots * 2, vtable);
    this.#bytes.writeUInt16LE(size, vtable + 2);
    this.#bytes.writeInt32LE(table - vtable, table);
    fields.forEach((field, i) => {
      const place = places[i] as number;
      this.#bytes.writeUInt16LE(place, vtable + 4 + field.id * 2);
      this.#value(field, table + place);
    });
    return table;
  }

  finish(): Buffer {
    this.take(0, 8);
    return this.#bytes.subarray(0, this.#length);
  }

  #value(field: FlatField, at: number): void {
    switch (field.kind) {
      case 'uint8':
        this.#bytes.writeUInt8(field.value, at);
        break;
      case 'int16':
        this.#bytes.writeInt16LE(field.value, at);
        break;
      case 'int32':
        this.#bytes.writeInt32LE(field.value, at);
        break;
      case 'int64':
        this.#bytes.writeBigInt64LE(field.value, at);
        break;
      case 'string':
        this.point(at, this.#string(field.value));
        break;
      case 'table':
        this.point(at, this.table(field.value));
        break;
      case 'tables':
        this.point(at, this.#tables(field.value));
        break;
      case 'numbers':
        this.point(at, this.#numbers(field.value));
        break;
    }
  }

  /** With its length before and a zero byte behind it. */
  #string(text: string): number {
    const size = Buffer.byteLength(text);
    const at = this.take(4 + size + 1, 4);
    this.#bytes.writeUInt32LE(size, at);
    this.#bytes.write(text, at + 4);
    return at;
  }

  #tables(tables: readonly FlatTable[]): number {
    const at = this.take(4 + tables.length * 4, 4);
    this.#bytes.writeUInt32LE(tables.length, at);
    tables.forEach((table, i) => {
      const place = at + 4 + i * 4;
      this.point(place, this.table(table));
    });
    return at;
  }

  #numbers(numbers: readonly number[]): number {
    const at = this.take(4 + numbers.length * 4, 4);
    this.#bytes.writeUInt32LE(numbers.length, at);
    numbers.forEach((value, i) => {
      this.#bytes.writeInt32LE(value, at + 4 + i * 4);
    });
    return at;
  }
}
