/**
 * Times with a zone in Parquet files that DuckDB wrote. It can say of microseconds that they are instants, and not of nanoseconds: the
 * file says so after the flag in its footer is set. Footers are Thrift's compact protocol
 * (https://github.com/apache/thrift/tree/master/doc/specs) of parquet-format's `FileMetaData`
 * (https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift).
 */
import { assert } from '../../shared/assert.ts';
import type { ResultColumn, ResultType } from '../result.ts';

/** True for a type whose values Parquet cannot tell from others without an Arrow schema beside it: zones and durations, at any depth. */
export function needsArrowSchema(type: ResultType | undefined): boolean {
  switch (type?.kind) {
    case 'timestamp':
      return type.zone !== undefined;
    case 'duration':
      return true;
    case 'list':
      return needsArrowSchema(type.item);
    case 'map':
      return needsArrowSchema(type.key) || needsArrowSchema(type.value);
    case 'struct':
      return type.members.some((member) => needsArrowSchema(member.type));
    default:
      return false;
  }
}

/** The columns as the file has them: DuckDB writes all times as nanoseconds, whatever unit clients see. */
export function fileColumns(columns: readonly ResultColumn[]): readonly ResultColumn[] {
  return columns.map((column) => ({ ...column, type: inNanoseconds(column.type) }));
}

function inNanoseconds(type: ResultType): ResultType {
  switch (type.kind) {
    case 'timestamp':
      return { kind: 'timestamp', zone: type.zone };
    case 'list':
      return { kind: 'list', item: inNanoseconds(type.item) };
    case 'map':
      return { kind: 'map', key: inNanoseconds(type.key), value: inNanoseconds(type.value) };
    case 'struct':
      return { kind: 'struct', members: type.members.map((member) => ({ ...member, type: inNanoseconds(member.type) })) };
    default:
      return type;
  }
}

/** Sets, in the bytes of a complete Parquet file, that the nanoseconds of columns with a zone are instants. */
export function markInstants(file: Uint8Array, columns: readonly ResultColumn[]): void {
  const zoned = columns.flatMap((column) => leaves(column.type)).map((type) => type.kind === 'timestamp' && type.zone !== undefined);
  const flags = new Footer(file).instantFlags();
  assert(flags.length === zoned.length, 'a Parquet file has other columns than its query');
  flags.forEach((at, leaf) => {
    if (at !== undefined && zoned[leaf] === true) file[at] = ((file[at] as number) & 0xf0) | BOOLEAN_TRUE;
  });
}

/** The types that have a column of their own in a file, in its order. */
function leaves(type: ResultType): readonly ResultType[] {
  switch (type.kind) {
    case 'list':
      return leaves(type.item);
    case 'map':
      return [...leaves(type.key), ...leaves(type.value)];
    case 'struct':
      return type.members.flatMap((member) => leaves(member.type));
    default:
      return [type];
  }
}

/** Numbers of the compact protocol's types. The two of booleans are the values of fields. */
const BOOLEAN_TRUE = 1;
const BOOLEAN_FALSE = 2;
const BYTE = 3;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;

/** Fields of parquet-format's structures. */
const FILE_SCHEMA = 2;
const ELEMENT_TYPE = 1;
const ELEMENT_LOGICAL_TYPE = 10;
const LOGICAL_TIMESTAMP = 8;
const TIMESTAMP_IS_INSTANT = 1;

/** Bytes of a footer's length and the magic number behind it. */
const TAIL_BYTES = 8;

class Footer {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(file: Uint8Array) {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.#bytes = file;
    this.#at = file.length - TAIL_BYTES - view.getUint32(file.length - TAIL_BYTES, true);
  }

  /** For each column, where the flag of a timestamp is that is not said to be an instant. */
  instantFlags(): readonly (number | undefined)[] {
    const flags: (number | undefined)[] = [];
    this.#eachField((id, type) => {
      if (id !== FILE_SCHEMA || type !== LIST) return this.#skip(type);
      for (let count = this.#listCount(); count > 0; count--) {
        const { isLeaf, flag } = this.#schemaElement();
        if (isLeaf) flags.push(flag);
      }
    });
    return flags;
  }

  #schemaElement(): { readonly isLeaf: boolean; readonly flag: number | undefined } {
    let isLeaf = false;
    let flag: number | undefined;
    this.#eachField((id, type) => {
      if (id === ELEMENT_TYPE) isLeaf = true;
      if (id !== ELEMENT_LOGICAL_TYPE || type !== STRUCT) return this.#skip(type);
      this.#eachField((kind, kindType) => {
        if (kind !== LOGICAL_TIMESTAMP || kindType !== STRUCT) return this.#skip(kindType);
        this.#eachField((part, partType, header) => {
          if (part === TIMESTAMP_IS_INSTANT && partType === BOOLEAN_FALSE) flag = header;
          this.#skip(partType);
        });
      });
    });
    return { isLeaf, flag };
  }

  /** Calls with each field of a struct, and where its header is; the value is for the callback to take. */
  #eachField(take: (id: number, type: number, header: number) => void): void {
    let id = 0;
    for (;;) {
      const at = this.#at;
      const header = this.#byte();
      if (header === 0) return;
      id = header >> 4 === 0 ? unzigzag(this.#varint()) : id + (header >> 4);
      take(id, header & 0x0f, at);
    }
  }

  #skip(type: number): void {
    switch (type) {
      case BOOLEAN_TRUE:
      case BOOLEAN_FALSE:
        return;
      case BYTE:
        this.#at += 1;
        return;
      case DOUBLE:
        this.#at += 8;
        return;
      case BINARY: {
        const length = this.#varint();
        this.#at += length;
        return;
      }
      case LIST:
      case SET: {
        const item = (this.#bytes[this.#at] as number) & 0x0f;
        for (let count = this.#listCount(); count > 0; count--) this.#skipItem(item);
        return;
      }
      case MAP: {
        const count = this.#varint();
        const types = count > 0 ? this.#byte() : 0;
        for (let i = 0; i < count; i++) {
          this.#skipItem(types >> 4);
          this.#skipItem(types & 0x0f);
        }
        return;
      }
      case STRUCT:
        this.#eachField((_, field) => this.#skip(field));
        return;
      default:
        this.#varint();
    }
  }

  /** Booleans in lists are a byte each. */
  #skipItem(type: number): void {
    this.#skip(type === BOOLEAN_TRUE || type === BOOLEAN_FALSE ? BYTE : type);
  }

  #listCount(): number {
    const header = this.#byte();
    return header >> 4 === 15 ? this.#varint() : header >> 4;
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    assert(byte !== undefined, 'the footer of a Parquet file ends too soon');
    return byte;
  }

  /** Numbers of more than 53 bits lose digits: none of them is looked at. */
  #varint(): number {
    let value = 0;
    for (let power = 1; ; power *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * power;
      if (byte < 0x80) return value;
    }
  }
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}
