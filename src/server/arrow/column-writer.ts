import type { ResultType, ResultVector, ValidBits } from '../../query/result.ts';
import { TIMESTAMP_UNIT_NS } from '../../shared/time-units.ts';
import type { BodyWriter } from './body.ts';
import type { CodedTexts } from './coded-texts.ts';
import { type BitRange, nullCount, writeBits } from './valid-bits.ts';

/** Rows `from .. to` of a vector. */
export interface Piece {
  readonly vector: ResultVector;
  readonly from: number;
  readonly to: number;
}

/** Writes pieces of one column, one after the other, as Arrow's buffers. */
export function writeColumn(body: BodyWriter, type: ResultType, pieces: readonly Piece[], codes: CodedTexts): void {
  const length = pieces.reduce((sum, { from, to }) => sum + to - from, 0);
  if (type.kind === 'null') {
    body.node(length, length);
    return;
  }
  writeValidity(body, pieces, length);
  switch (type.kind) {
    case 'boolean':
      writeBooleans(body, pieces, length);
      break;
    case 'string':
    case 'binary':
      writeBytes(body, pieces, length, codes);
      break;
    case 'timestamp':
      if (type.unit === undefined || type.unit === 'ns') writeFixed(body, pieces, 1);
      else writeDivided(body, pieces, TIMESTAMP_UNIT_NS[type.unit]);
      break;
    case 'interval':
      writeIntervals(body, pieces);
      break;
    case 'decimal':
    case 'hugeint':
      writeFixed(body, pieces, 2);
      break;
    case 'list':
      writeColumn(
        body,
        type.item,
        writeOffsets(body, pieces, length, (vector) => (vector as List).item),
        codes,
      );
      break;
    case 'map': {
      const keys = writeOffsets(body, pieces, length, (vector) => (vector as MapVector).key);
      const values = keys.map(({ from, to }, i) => ({ vector: ((pieces[i] as Piece).vector as MapVector).value, from, to }));
      writeStruct(body, [type.key, type.value], [keys, values], codes);
      break;
    }
    case 'struct':
      type.members.forEach((member, i) => {
        const members = pieces.map(({ vector, from, to }) => ({ vector: (vector as StructVector).members[i] as ResultVector, from, to }));
        writeColumn(body, member.type, members, codes);
      });
      break;
    default:
      writeFixed(body, pieces, 1);
  }
}

type List = Extract<ResultVector, { kind: 'list' }>;
type MapVector = Extract<ResultVector, { kind: 'map' }>;
type StructVector = Extract<ResultVector, { kind: 'struct' }>;

/** Entries of maps: a struct that is never null. */
function writeStruct(body: BodyWriter, types: readonly ResultType[], columns: readonly (readonly Piece[])[], codes: CodedTexts): void {
  const length = (columns[0] ?? []).reduce((sum, { from, to }) => sum + to - from, 0);
  body.node(length, 0);
  body.buffer(NO_BYTES);
  types.forEach((type, i) => {
    writeColumn(body, type, columns[i] ?? [], codes);
  });
}

const NO_BYTES = new Uint8Array(0);

function writeValidity(body: BodyWriter, pieces: readonly Piece[], length: number): void {
  const ranges = pieces.map(bitRange);
  const nulls = ranges.reduce((sum, range) => sum + nullCount(range), 0);
  body.node(length, nulls);
  if (nulls === 0) body.buffer(NO_BYTES);
  else writeBits(body, ranges, length);
}

function bitRange({ vector, from, to }: Piece): BitRange {
  return { bits: bitsOf(vector, from, to), from, to };
}

function bitsOf(vector: ResultVector, from: number, to: number): ValidBits {
  if (vector.kind === 'coded') {
    const bits = new Uint8Array((to + 7) >> 3);
    for (let row = from; row < to; row++)
      if ((vector.codes[row] as number) >= 0) bits[row >> 3] = (bits[row >> 3] as number) | (1 << (row & 7));
    return bits;
  }
  return vector.kind === 'null' ? new Uint8Array((to + 7) >> 3) : vector.valid;
}

/** Values whose memory is Arrow's own form; `width` elements a row. */
function writeFixed(body: BodyWriter, pieces: readonly Piece[], width: number): void {
  body.begin();
  for (const { vector, from, to } of pieces) {
    if (!('data' in vector)) throw mismatch(vector);
    const { data } = vector;
    const size = data.BYTES_PER_ELEMENT * width;
    body.append(new Uint8Array(data.buffer, data.byteOffset + from * size, (to - from) * size));
  }
  body.end();
}

/** Nanoseconds as a coarser unit, rounded down. */
function writeDivided(body: BodyWriter, pieces: readonly Piece[], divisor: bigint): void {
  body.begin();
  for (const { vector, from, to } of pieces) {
    if (vector.kind !== 'timestamp') throw mismatch(vector);
    const at = body.take((to - from) * 8);
    for (let row = from; row < to; row++) {
      const ns = vector.data[row] as bigint;
      const rest = ns % divisor;
      body.view.setBigInt64(at + (row - from) * 8, (ns - (rest < 0n ? rest + divisor : rest)) / divisor, true);
    }
  }
  body.end();
}

function writeBooleans(body: BodyWriter, pieces: readonly Piece[], length: number): void {
  body.begin();
  const size = (length + 7) >> 3;
  const at = body.take(size);
  const { bytes } = body;
  bytes.fill(0, at, at + size);
  let bit = 0;
  for (const { vector, from, to } of pieces) {
    if (vector.kind !== 'boolean') throw mismatch(vector);
    for (let row = from; row < to; row++, bit++) {
      if (vector.data[row] !== 0) bytes[at + (bit >> 3)] = (bytes[at + (bit >> 3)] as number) | (1 << (bit & 7));
    }
  }
  body.end();
}

function writeIntervals(body: BodyWriter, pieces: readonly Piece[]): void {
  body.begin();
  for (const { vector, from, to } of pieces) {
    if (vector.kind !== 'interval') throw mismatch(vector);
    let at = body.take((to - from) * 16);
    for (let row = from; row < to; row++, at += 16) {
      body.bytes.writeInt32LE(vector.parts[row * 2] as number, at);
      body.bytes.writeInt32LE(vector.parts[row * 2 + 1] as number, at + 4);
      body.bytes.writeBigInt64LE(vector.nanos[row] as bigint, at + 8);
    }
  }
  body.end();
}

/** Texts and bytes: offsets, then all bytes. */
function writeBytes(body: BodyWriter, pieces: readonly Piece[], length: number, codes: CodedTexts): void {
  body.begin();
  const at = body.take((length + 1) * 4);
  const offsets = new Int32Array(body.bytes.buffer, body.bytes.byteOffset + at, length + 1);
  offsets[0] = 0;
  let row = 0;
  for (const { vector, from, to } of pieces) {
    if (vector.kind === 'coded') codes.writeOffsets(vector, from, to, offsets, row);
    else if (vector.kind === 'string' || vector.kind === 'binary') rebase(vector.offsets, from, to, offsets, row);
    else throw mismatch(vector);
    row += to - from;
  }
  const size = offsets[length] as number;
  body.end();
  body.begin();
  for (const { vector, from, to } of pieces) {
    if (vector.kind === 'coded') codes.writeTexts(vector, from, to, body);
    else if (vector.kind === 'string' || vector.kind === 'binary') {
      body.append(vector.bytes.subarray(vector.offsets[from] as number, vector.offsets[to] as number));
    }
  }
  body.end();
  if (size < 0) throw new Error('internal error: texts of a record batch have more than 2 GiB');
}

/** Offsets of rows, counted on from the last one that is there. */
function rebase(source: Uint32Array, from: number, to: number, target: Int32Array, row: number): void {
  const shift = (target[row] as number) - (source[from] as number);
  for (let i = from + 1; i <= to; i++) target[row + i - from] = (source[i] as number) + shift;
}

/** Offsets of lists or maps; gives the pieces of what is in them. */
function writeOffsets(
  body: BodyWriter,
  pieces: readonly Piece[],
  length: number,
  items: (vector: ResultVector) => ResultVector,
): readonly Piece[] {
  body.begin();
  const at = body.take((length + 1) * 4);
  const offsets = new Int32Array(body.bytes.buffer, body.bytes.byteOffset + at, length + 1);
  offsets[0] = 0;
  let row = 0;
  const inner: Piece[] = [];
  for (const { vector, from, to } of pieces) {
    if (vector.kind !== 'list' && vector.kind !== 'map') throw mismatch(vector);
    rebase(vector.offsets, from, to, offsets, row);
    row += to - from;
    inner.push({ vector: items(vector), from: vector.offsets[from] as number, to: vector.offsets[to] as number });
  }
  body.end();
  return inner;
}

function mismatch({ kind }: ResultVector): Error {
  return new Error(`internal error: a vector of the kind ${kind} does not fit its column`);
}
