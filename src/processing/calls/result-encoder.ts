import type { ResultBatch, ResultColumn, ResultType, ResultVector } from '../../query/result.ts';
import { hugeInteger, isNullAt } from '../../query/results/index.ts';
import { unreachable } from '../../shared/assert.ts';
import { BlockBytes, type BlockColumn, type Blocks, validBytes } from './blocks.ts';

/** A column type that plugins cannot get. The message is what they see. */
export class UnsupportedType extends Error {
  constructor(type: ResultType) {
    super(`Unsupported data type: ${type.kind}`);
    this.name = 'UnsupportedType';
  }
}

/** Writes rows of a query in the form that hosts read. Throws `UnsupportedType`. */
export function encodeResult(columns: readonly ResultColumn[], { rowCount, columns: vectors }: ResultBatch): Blocks {
  const bytes = new BlockBytes();
  const blockColumns = columns.map((column, at) => {
    const vector = vectors[at];
    if (vector === undefined) throw new Error('internal error: a batch has fewer columns than its result');
    return writeVector(column, vector, rowCount, bytes);
  });
  return { heads: [{ rows: rowCount, columns: blockColumns }], data: bytes.join() };
}

/** Throws `UnsupportedType` for columns that no row could be sent of. */
export function checkTypes(columns: readonly ResultColumn[]): void {
  for (const { type } of columns) if (!isSupported(type)) throw new UnsupportedType(type);
}

function isSupported({ kind }: ResultType): boolean {
  return !['list', 'struct', 'map', 'date', 'time', 'duration', 'interval', 'decimal', 'binary'].includes(kind);
}

function writeVector({ name, type }: ResultColumn, vector: ResultVector, rows: number, bytes: BlockBytes): BlockColumn {
  switch (vector.kind) {
    case 'float64':
      return fixed(name, 'f64', vector.data.subarray(0, rows), vector.valid, bytes);
    case 'float32':
      return fixed(name, 'f64', Float64Array.from(vector.data.subarray(0, rows)), vector.valid, bytes);
    case 'int64':
      return fixed(name, 'i64', vector.data.subarray(0, rows), vector.valid, bytes);
    case 'uint64':
      return fixed(name, 'u64', vector.data.subarray(0, rows), vector.valid, bytes);
    case 'timestamp':
      return fixed(name, 'time', vector.data.subarray(0, rows), vector.valid, bytes);
    case 'int8':
    case 'int16':
    case 'int32':
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return fixed(name, 'i64', BigInt64Array.from(vector.data.subarray(0, rows), BigInt), vector.valid, bytes);
    case 'boolean':
      return fixed(name, 'bool', vector.data.subarray(0, rows), vector.valid, bytes);
    case 'string': {
      if (vector.valid !== undefined) bytes.add(validBytes(vector.valid, rows));
      const start = vector.offsets[0] ?? 0;
      bytes.addArray(vector.offsets.subarray(0, rows + 1).map((offset) => offset - start));
      bytes.add(vector.bytes.subarray(start, vector.offsets[rows] ?? start));
      return { name, type: 'str', valid: vector.valid !== undefined };
    }
    case 'coded':
      return coded(name, vector, rows, bytes);
    case 'hugeint':
      return hugeIntegers(name, type, vector, rows, bytes);
    case 'null':
      return { name, type: 'null', valid: false };
    case 'date':
    case 'time':
    case 'duration':
    case 'interval':
    case 'decimal':
    case 'binary':
    case 'list':
    case 'struct':
    case 'map':
      throw new UnsupportedType(type);
    default:
      return unreachable(vector);
  }
}

type FixedType = 'i64' | 'u64' | 'f64' | 'bool' | 'time';

function fixed(
  name: string,
  type: FixedType,
  data: ArrayBufferView & { readonly length: number },
  valid: Uint8Array | undefined,
  bytes: BlockBytes,
): BlockColumn {
  if (valid !== undefined) bytes.add(validBytes(valid, data.length));
  bytes.addArray(data);
  return { name, type, valid: valid !== undefined };
}

/** Only texts that occur go along: a column may have far more texts than one batch has rows. */
function coded(name: string, vector: Extract<ResultVector, { kind: 'coded' }>, rows: number, bytes: BlockBytes): BlockColumn {
  const { codes, texts } = vector;
  if (texts.length <= rows) {
    bytes.addArray(codes.subarray(0, rows));
    return { name, type: 'dict', valid: false, texts };
  }
  const numbers = new Map<number, number>();
  const used: string[] = [];
  const renumbered = codes.subarray(0, rows).map((code) => {
    if (code < 0) return -1;
    let number = numbers.get(code);
    if (number === undefined) {
      number = used.push(texts[code] ?? '') - 1;
      numbers.set(code, number);
    }
    return number;
  });
  bytes.addArray(renumbered);
  return { name, type: 'dict', valid: false, texts: used };
}

/** Whole numbers of 128 bits go as texts. */
function hugeIntegers(
  name: string,
  type: ResultType,
  vector: Extract<ResultVector, { kind: 'hugeint' | 'decimal' }>,
  rows: number,
  bytes: BlockBytes,
): BlockColumn {
  const signed = type.kind !== 'hugeint' || type.signed;
  const codes = new Int32Array(rows);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    if (isNullAt(vector, row)) codes[row] = -1;
    else codes[row] = texts.push(hugeInteger(vector.data, row, signed).toString()) - 1;
  }
  bytes.addArray(codes);
  return { name, type: 'int', valid: false, texts };
}
