/** The wire format of protocol buffers: https://protobuf.dev/programming-guides/encoding/ */
import { isUtf8 } from 'node:buffer';
import { InfluxError } from '../../../shared/errors.ts';

/** Fields of one message, nested ones not counted: no message that is read here has nearly so many. */
const FIELDS_MAX = 10_000;

/** A field as it was read: `number` for varints that fit, else bigint; bytes for everything with a length; fixed widths as bytes. */
export interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** A value to be written; `undefined`, empty bytes and texts, zero and false are left out. */
export type WireValue = number | bigint | boolean | string | Uint8Array | undefined;

/** Reads the fields of a message. Throws INVALID_PROTOBUF when the bytes are none. */
export function readFields(bytes: Uint8Array): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw invalidProtobuf('unexpected end of the message');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw invalidProtobuf('a number with more than ten bytes');
  };
  const take = (size: number): Uint8Array => {
    if (size > bytes.length - at) throw invalidProtobuf('a field that is longer than its message');
    at += size;
    return bytes.subarray(at - size, at);
  };
  while (at < bytes.length) {
    if (fields.length >= FIELDS_MAX) throw invalidProtobuf(`more than ${FIELDS_MAX} fields`);
    const tag = varint();
    const number = Number(tag >> 3n);
    if (number === 0 || number > 0x1fffffff) throw invalidProtobuf('a field number that is out of range');
    switch (Number(tag & 7n)) {
      case 0:
        fields.push({ number, value: varint() });
        break;
      case 1:
        fields.push({ number, value: take(8) });
        break;
      case 2: {
        const size = varint();
        if (size > BigInt(bytes.length)) throw invalidProtobuf('a field that is longer than its message');
        fields.push({ number, value: take(Number(size)) });
        break;
      }
      case 5:
        fields.push({ number, value: take(4) });
        break;
      default:
        throw invalidProtobuf('a wire type that does not exist');
    }
  }
  return fields;
}

/** Fields of one message by their number; of repeated ones the last counts, as everywhere in protocol buffers. */
export class WireMessage {
  readonly #fields: readonly WireField[];

  constructor(bytes: Uint8Array) {
    this.#fields = readFields(bytes);
  }

  bytes(number: number): Uint8Array | undefined {
    const value = this.#fields.findLast((field) => field.number === number)?.value;
    if (typeof value === 'bigint') throw invalidProtobuf(`a number in field ${number}`);
    return value;
  }

  text(number: number): string | undefined {
    const bytes = this.bytes(number);
    return bytes === undefined ? undefined : utf8(bytes, number);
  }

  texts(number: number): string[] {
    return this.all(number).map((bytes) => utf8(bytes, number));
  }

  /** All values of a repeated field of bytes or messages. */
  all(number: number): Uint8Array[] {
    return this.#fields
      .filter((field) => field.number === number)
      .map(({ value }) => {
        if (typeof value === 'bigint') throw invalidProtobuf(`a number in field ${number}`);
        return value;
      });
  }

  /** Unsigned 64 bits. */
  integer(number: number): bigint | undefined {
    const value = this.#fields.findLast((field) => field.number === number)?.value;
    if (value instanceof Uint8Array) throw invalidProtobuf(`bytes in field ${number}`);
    return value;
  }

  /** Values of a repeated field of numbers, packed or not. */
  integers(number: number): bigint[] {
    return this.#fields
      .filter((field) => field.number === number)
      .flatMap(({ value }) => (typeof value === 'bigint' ? [value] : packed(value)));
  }

  /** A double. */
  float64(number: number): number | undefined {
    const bytes = this.bytes(number);
    if (bytes === undefined) return undefined;
    if (bytes.length !== 8) throw invalidProtobuf(`field ${number} is no double`);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0, true);
  }

  has(number: number): boolean {
    return this.#fields.some((field) => field.number === number);
  }

  /** Of fields that exclude each other (`oneof`): the number of the one that counts; undefined when there is none of them. */
  lastOf<T extends number>(numbers: readonly T[]): T | undefined {
    return this.#fields.findLast((field) => (numbers as readonly number[]).includes(field.number))?.number as T | undefined;
  }
}

function packed(bytes: Uint8Array): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    values.push(BigInt.asUintN(64, value));
    value = shift = 0n;
  }
  return values;
}

function utf8(bytes: Uint8Array, number: number): string {
  if (!isUtf8(bytes)) throw invalidProtobuf(`field ${number} is not UTF-8`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The bytes of a message. */
export function writeMessage(fields: readonly (readonly [number: number, value: WireValue])[]): Buffer {
  return Buffer.concat(fields.flatMap(([number, value]) => field(number, value)));
}

/** Head of a field of `size` bytes, which follow. */
export function fieldHead(number: number, size: number): Buffer {
  return Buffer.from([...varintBytes(BigInt(number * 8 + 2)), ...varintBytes(BigInt(size))]);
}

function field(number: number, value: WireValue): Uint8Array[] {
  if (value === undefined || value === false || value === 0 || value === 0n) return [];
  if (typeof value === 'string' || value instanceof Uint8Array) {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    return bytes.length === 0 ? [] : [fieldHead(number, bytes.length), bytes];
  }
  const integer = typeof value === 'boolean' ? 1n : BigInt(value);
  return [Buffer.from([...varintBytes(BigInt(number * 8)), ...varintBytes(BigInt.asUintN(64, integer))])];
}

function varintBytes(value: bigint): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return bytes;
}

/** `Invalid protobuf: ...`, gRPC status 3. */
function invalidProtobuf(text: string): InfluxError {
  return new InfluxError({ code: 'INVALID_PROTOBUF', message: `Invalid protobuf: ${text}`, status: 400 });
}
