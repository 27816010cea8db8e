import type { ResultBatch, ResultColumn, ResultVector } from '../../query/result.ts';
import { METADATA_VERSION } from '../../shared/arrow/schema-message.ts';
import { BodyWriter } from './body.ts';
import { CodedTexts } from './coded-texts.ts';
import { type Piece, writeColumn } from './column-writer.ts';
import { columnBytesMax } from './vector-bytes.ts';

/** Rows `from .. to` of a batch, which take `bytes` in a record batch at most. */
export interface BatchRange {
  readonly batch: ResultBatch;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

/** A record batch as the IPC format has it: the Message flatbuffer, and the buffers that it speaks of. */
export interface RecordBatchMessage {
  readonly header: Buffer;
  readonly body: Buffer;
  /** What the body is a part of. */
  readonly memory: Buffer;
}

/** Writes the batches of one result as Arrow record batches. */
export class RecordBatchWriter {
  readonly codes = new CodedTexts();
  readonly #columns: readonly ResultColumn[];
  readonly #columnBytes: number;
  #headerBytes: number | undefined;

  constructor(columns: readonly ResultColumn[]) {
    this.#columns = columns;
    this.#columnBytes = columns.reduce((sum, { type }) => sum + columnBytesMax(type), ALIGNMENT);
  }

  /** Length of the header of every record batch. */
  get headerBytes(): number {
    this.#headerBytes ??= this.write([]).header.length;
    return this.#headerBytes;
  }

  /** Bytes that suffice for the body of a record batch with these rows. */
  bodyBytesMax(ranges: readonly BatchRange[]): number {
    return ranges.reduce((sum, { bytes }) => sum + bytes, this.#columnBytes);
  }

  /**
   * One record batch with the rows of all ranges; none gives a record batch without rows. The body is written into `memory`,
   * from `base` on, a multiple of 8.
   */
  write(ranges: readonly BatchRange[], memory?: Buffer, base = 0): RecordBatchMessage {
    const writer = new BodyWriter(memory ?? Buffer.allocUnsafeSlow(base + this.bodyBytesMax(ranges)), base);
    this.#columns.forEach(({ type }, index) => {
      const pieces = ranges.map(({ batch, from, to }): Piece => ({ vector: batch.columns[index] as ResultVector, from, to }));
      writeColumn(writer, type, pieces, this.codes);
    });
    const rowCount = ranges.reduce((sum, { from, to }) => sum + to - from, 0);
    const { body, nodes, regions, memory: used } = writer.finish();
    return { header: recordBatchHeader(rowCount, nodes, regions, body.length), body, memory: used };
  }
}

/** The end of a body is padded too. */
const ALIGNMENT = 8;

/** Offsets in the header's flatbuffer, whose form is always the same: Message, then RecordBatch, then its two vectors. */
const MESSAGE_VTABLE = 4;
const MESSAGE = 16;
const BATCH_VTABLE = 36;
const BATCH = 48;
const NODES = 68;
const RECORD_BATCH_HEADER = 3;

/**
 * The Message flatbuffer of a record batch. `nodes` has length and nulls of each column, `regions` start and length of
 * each buffer.
 */
export function recordBatchHeader(rowCount: number, nodes: readonly number[], regions: readonly number[], bodyBytes: number): Buffer {
  const buffers = NODES + 4 + nodes.length * 8 + 4;
  const bytes = Buffer.alloc(buffers + 4 + regions.length * 8);
  bytes.writeUInt32LE(MESSAGE, 0);
  // size of the vtable, size of the table, then the place of version, header type, header and body length
  [12, 20, 16, 18, 4, 8].forEach((value, i) => {
    bytes.writeUInt16LE(value, MESSAGE_VTABLE + i * 2);
  });
  bytes.writeInt32LE(MESSAGE - MESSAGE_VTABLE, MESSAGE);
  bytes.writeUInt32LE(BATCH - (MESSAGE + 4), MESSAGE + 4);
  writeLong(bytes, bodyBytes, MESSAGE + 8);
  bytes.writeInt16LE(METADATA_VERSION, MESSAGE + 16);
  bytes.writeUInt8(RECORD_BATCH_HEADER, MESSAGE + 18);
  // the same, then the place of length, nodes and buffers
  [10, 20, 8, 4, 16].forEach((value, i) => {
    bytes.writeUInt16LE(value, BATCH_VTABLE + i * 2);
  });
  bytes.writeInt32LE(BATCH - BATCH_VTABLE, BATCH);
  bytes.writeUInt32LE(NODES - (BATCH + 4), BATCH + 4);
  writeLong(bytes, rowCount, BATCH + 8);
  bytes.writeUInt32LE(buffers - (BATCH + 16), BATCH + 16);
  writePairs(bytes, nodes, NODES);
  writePairs(bytes, regions, buffers);
  return bytes;
}

function writePairs(bytes: Buffer, values: readonly number[], at: number): void {
  bytes.writeUInt32LE(values.length / 2, at);
  for (let i = 0; i < values.length; i++) writeLong(bytes, values[i] as number, at + 4 + i * 8);
}

/** A whole number below 2^53 as 64 bits. */
function writeLong(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % TWO_32, at);
  bytes.writeUInt32LE(Math.floor(value / TWO_32), at + 4);
}

const TWO_32 = 2 ** 32;
