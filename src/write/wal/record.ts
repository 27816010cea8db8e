import { crc32 } from 'node:zlib';

/**
 * A WAL file is a file header and records; all numbers are little-endian, every part starts at a multiple of 8.
 *
 * file header: magic 8 · file number 8 · catalog UUID 16
 * record: body length 4 · CRC-32 of the next 28 header bytes and the body 4 · index in the file 4 · zero 4 ·
 *         min time 8 · max time 8 · body · zero padding
 */
export const FILE_HEADER_BYTES = 32;
export const RECORD_HEADER_BYTES = 32;

/** Ours alone, so that no other program takes the file for its own and we take none of theirs. */
const MAGIC = Buffer.from('i3ts-wal', 'latin1');

/** Side logs hold records of the log for which it is no longer kept (`side-log.ts`). */
const SIDE_MAGIC = Buffer.from('i3ts-sid', 'latin1');

const CHECKED_FROM = 8;

/** Longest body of a record. */
export const BODY_BYTES_MAX = 1 << 30;

/** One record as it is found in a file. `body` starts at a multiple of 8 bytes. */
export interface WalRecord {
  readonly body: Uint8Array;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
}

/** What a file holds. `validBytes` < its length: the rest is damaged, for the reason given. */
export interface WalFileContent {
  readonly records: readonly WalRecord[];
  readonly validBytes: number;
  readonly damage: string | undefined;
}

export function encodeFileHeader(fileNumber: number, uuid: string): Uint8Array {
  return encodeHeader(MAGIC, fileNumber, uuid);
}

/** @param part number of the file among those that were written together */
export function encodeSideHeader(part: number, uuid: string): Uint8Array {
  return encodeHeader(SIDE_MAGIC, part, uuid);
}

function encodeHeader(magic: Buffer, fileNumber: number, uuid: string): Uint8Array {
  const bytes = Buffer.alloc(FILE_HEADER_BYTES);
  magic.copy(bytes, 0);
  bytes.writeBigUInt64LE(BigInt(fileNumber), 8);
  bytes.write(uuid.replaceAll('-', ''), 16, 'hex');
  return bytes;
}

/** Writes the header of a record at `at` in `target`. */
export function writeRecordHeader(
  target: Buffer,
  at: number,
  record: { readonly index: number; readonly minTimeNs: bigint; readonly maxTimeNs: bigint },
  body: Uint8Array,
): void {
  target.writeUInt32LE(body.byteLength, at);
  target.writeUInt32LE(record.index, at + 8);
  target.writeUInt32LE(0, at + 12);
  target.writeBigInt64LE(record.minTimeNs, at + 16);
  target.writeBigInt64LE(record.maxTimeNs, at + 24);
  target.writeUInt32LE(crc32(body, crc32(target.subarray(at + CHECKED_FROM, at + RECORD_HEADER_BYTES))), at + 4);
}

/** Bytes that a record with this body takes in a file. */
export function recordBytes(bodyBytes: number): number {
  return RECORD_HEADER_BYTES + paddedBytes(bodyBytes);
}

/** Bytes of a body with its padding. */
export function paddedBytes(bodyBytes: number): number {
  return (bodyBytes + 7) & ~7;
}

/** Why the bytes are not a WAL file of this catalog and number, or undefined when they are. */
export function fileHeaderProblem(bytes: Uint8Array, fileNumber: number, uuid: string): string | undefined {
  if (bytes.byteLength === 0) return 'file is empty';
  if (bytes.byteLength < FILE_HEADER_BYTES) return 'file is shorter than its header';
  const expected = encodeFileHeader(fileNumber, uuid);
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, FILE_HEADER_BYTES);
  if (header.equals(expected)) return undefined;
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return 'not a WAL file of this program';
  if (header.readBigUInt64LE(8) !== BigInt(fileNumber)) return 'file has the name of another number';
  return 'file belongs to another catalog';
}

/** The same for a file of a side log, whatever its part. */
export function sideHeaderProblem(bytes: Uint8Array, uuid: string): string | undefined {
  if (bytes.byteLength < FILE_HEADER_BYTES) return 'file is shorter than its header';
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, FILE_HEADER_BYTES);
  if (!header.subarray(0, SIDE_MAGIC.length).equals(SIDE_MAGIC)) return 'not a side log of this program';
  const expected = encodeSideHeader(Number(header.readBigUInt64LE(8)), uuid);
  return header.equals(expected) ? undefined : 'file belongs to another catalog';
}

/** Reads records up to the first damaged one: later ones may build on it. The file header must have been checked. */
export function decodeRecords(bytes: Uint8Array): WalFileContent {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: WalRecord[] = [];
  let offset = FILE_HEADER_BYTES;
  while (offset < view.length && !isZeroFrom(view, offset)) {
    const damage = recordProblem(view, offset, records.length);
    if (damage !== undefined) return { records, validBytes: offset, damage };
    const length = view.readUInt32LE(offset);
    const bodyStart = offset + RECORD_HEADER_BYTES;
    records.push({
      body: bytes.subarray(bodyStart, bodyStart + length),
      minTimeNs: view.readBigInt64LE(offset + 16),
      maxTimeNs: view.readBigInt64LE(offset + 24),
    });
    offset += recordBytes(length);
  }
  return { records, validBytes: Math.min(offset, view.length), damage: undefined };
}

/** Whether only zeros follow, which were written ahead. A record has a checksum, so it does not begin like that. */
function isZeroFrom(view: Buffer, offset: number): boolean {
  if (offset + 8 <= view.length && view.readBigUInt64LE(offset) !== 0n) return false;
  return view.subarray(offset).every((byte) => byte === 0);
}

function recordProblem(view: Buffer, offset: number, index: number): string | undefined {
  if (view.length - offset < RECORD_HEADER_BYTES) return 'record is cut off';
  const length = view.readUInt32LE(offset);
  const end = offset + RECORD_HEADER_BYTES + length;
  if (end > view.length) return 'record is cut off';
  if (crc32(view.subarray(offset + CHECKED_FROM, end)) !== view.readUInt32LE(offset + 4)) return 'checksum mismatch';
  return view.readUInt32LE(offset + 8) === index ? undefined : 'record is out of order';
}
