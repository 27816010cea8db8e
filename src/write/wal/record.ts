import { crc32 } from 'node:zlib';
import type { WalFileNumber } from '../../shared/ids.ts';

/**
 * A WAL file is a file header and records; all numbers are little-endian, every part starts at a multiple of 8.
 *
 * file header: magic 8 · file number 8 · catalog UUID 16 · number of the file before 8 · its records 4 · CRC-32 of the header
 *              up to here 4
 * record: body length 4 · CRC-32 of the next 28 header bytes and the body 4 · index in the file 4 · zero 4 ·
 *         min time 8 · max time 8 · body · zero padding
 */
export const FILE_HEADER_BYTES = 48;
export const RECORD_HEADER_BYTES = 32;

/** Ours alone, so that no other program takes the file for its own and we take none of theirs. */
const MAGIC = Buffer.from('i3ts-wa2', 'latin1');

/** Files of earlier versions: their header ends with the UUID. */
const OLD_MAGIC = Buffer.from('i3ts-wal', 'latin1');
const OLD_HEADER_BYTES = 32;

const HEADER_CHECKED_TO = 44;

/**
 * Header of a file that is an object of a bucket: as that of a file up to the number of records, then zero 4 · nonce of the
 * process 8 · zero 4 · CRC-32 of the header up to here 4. One without records is the claim of a process that started.
 */
export const OBJECT_HEADER_BYTES = 64;
const OBJECT_MAGIC = Buffer.from('i3ts-wob', 'latin1');
const OBJECT_CHECKED_TO = 60;

/** Header of a side log. */
export const SIDE_HEADER_BYTES = 32;

/** Side logs hold records of the log for which it is no longer kept (`side-log.ts`). */
const SIDE_MAGIC = Buffer.from('i3ts-sid', 'latin1');

/** What the magic of every version of a WAL file begins with; number and UUID follow it at the same places. */
const FAMILY = Buffer.from('i3ts-w', 'latin1');

const CHECKED_FROM = 8;

/** Longest body of a record. */
export const BODY_BYTES_MAX = 1 << 30;

/** The file that records were written to before; number 0 = none is known. */
export interface PreviousFile {
  readonly fileNumber: WalFileNumber;
  /** Records that were durable in it when this was written: there are no fewer. */
  readonly recordCount: number;
}

/** What the header of a file says. */
export interface WalFileHeader {
  /** Where the records begin. */
  readonly recordsAt: number;
  /** Undefined = written by an earlier version, which did not say. */
  readonly previous: PreviousFile | undefined;
}

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

/** The header of a WAL file: its number, the node's UUID, number and record count of the file before it, CRC-32. */
export function encodeFileHeader(fileNumber: WalFileNumber, uuid: string, previous: PreviousFile): Uint8Array {
  const bytes = encodeIdentity(MAGIC, fileNumber, uuid, FILE_HEADER_BYTES);
  bytes.writeBigUInt64LE(BigInt(previous.fileNumber), 32);
  bytes.writeUInt32LE(previous.recordCount, 40);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_CHECKED_TO)), HEADER_CHECKED_TO);
  return bytes;
}

/** @param nonce 8 bytes that no other process has */
export function encodeObjectHeader(fileNumber: WalFileNumber, uuid: string, previous: PreviousFile, nonce: Uint8Array): Uint8Array {
  const bytes = encodeIdentity(OBJECT_MAGIC, fileNumber, uuid, OBJECT_HEADER_BYTES);
  bytes.writeBigUInt64LE(BigInt(previous.fileNumber), 32);
  bytes.writeUInt32LE(previous.recordCount, 40);
  bytes.set(nonce, 48);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, OBJECT_CHECKED_TO)), OBJECT_CHECKED_TO);
  return bytes;
}

/** @param part number of the file among those that were written together */
export function encodeSideHeader(part: number, uuid: string): Uint8Array {
  return encodeIdentity(SIDE_MAGIC, part, uuid, SIDE_HEADER_BYTES);
}

function encodeIdentity(magic: Buffer, fileNumber: WalFileNumber, uuid: string, byteLength: number): Buffer {
  const bytes = Buffer.alloc(byteLength);
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

/** The header, or why the bytes are not a WAL file of this catalog and number. */
export function decodeFileHeader(bytes: Uint8Array, fileNumber: WalFileNumber, uuid: string): WalFileHeader | string {
  if (bytes.byteLength === 0) return 'file is empty';
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, OBJECT_HEADER_BYTES));
  if (header.length < OLD_HEADER_BYTES) return SHORT_HEADER;
  const isOld = header.subarray(0, OLD_MAGIC.length).equals(OLD_MAGIC);
  const isObject = header.subarray(0, OBJECT_MAGIC.length).equals(OBJECT_MAGIC);
  if (!isOld && !isObject && !header.subarray(0, MAGIC.length).equals(MAGIC)) {
    return isOfLaterVersion(header, fileNumber, uuid) ? LATER_VERSION : 'not a WAL file of this program';
  }
  const recordsAt = isObject ? OBJECT_HEADER_BYTES : FILE_HEADER_BYTES;
  if (!isOld && header.length < recordsAt) return SHORT_HEADER;
  const checkedTo = isObject ? OBJECT_CHECKED_TO : HEADER_CHECKED_TO;
  if (!isOld && crc32(header.subarray(0, checkedTo)) !== header.readUInt32LE(checkedTo)) return DAMAGED_HEADER;
  const problem = identityProblem(header, fileNumber, uuid);
  if (problem !== undefined) return problem;
  if (isOld) return { recordsAt: OLD_HEADER_BYTES, previous: undefined };
  return {
    recordsAt,
    previous: { fileNumber: Number(header.readBigUInt64LE(32)), recordCount: header.readUInt32LE(40) },
  };
}

function identityProblem(header: Buffer, fileNumber: WalFileNumber, uuid: string): string | undefined {
  if (header.readBigUInt64LE(8) !== BigInt(fileNumber)) return 'file has the name of another number';
  return header.toString('hex', 16, 32) === uuid.replaceAll('-', '') ? undefined : 'file belongs to another catalog';
}

/** Number and UUID are right and the version is unknown, and that is not a damaged name of a version that is known. */
function isOfLaterVersion(header: Buffer, fileNumber: WalFileNumber, uuid: string): boolean {
  if (!header.subarray(0, FAMILY.length).equals(FAMILY) || identityProblem(header, fileNumber, uuid) !== undefined) return false;
  const fits = (magic: Buffer, checkedTo: number): boolean =>
    header.length >= checkedTo + 4 && crc32(header.subarray(magic.length, checkedTo), crc32(magic)) === header.readUInt32LE(checkedTo);
  return !fits(MAGIC, HEADER_CHECKED_TO) && !fits(OBJECT_MAGIC, OBJECT_CHECKED_TO);
}

/** Why a file is not read that this program will write some day: its rows are whole. */
export const LATER_VERSION = 'file was written by a later version';

/** Why a file that a crash left has no header. */
export const SHORT_HEADER = 'file is shorter than its header';
const DAMAGED_HEADER = 'checksum mismatch of the header';

/** The same for a file of a side log, whatever its part. */
export function sideHeaderProblem(bytes: Uint8Array, uuid: string): string | undefined {
  if (bytes.byteLength < SIDE_HEADER_BYTES) return SHORT_HEADER;
  const header = Buffer.from(bytes.buffer, bytes.byteOffset, SIDE_HEADER_BYTES);
  if (!header.subarray(0, SIDE_MAGIC.length).equals(SIDE_MAGIC)) return 'not a side log of this program';
  const expected = encodeSideHeader(Number(header.readBigUInt64LE(8)), uuid);
  return header.equals(expected) ? undefined : 'file belongs to another catalog';
}

/** Reads records from `start` up to the first damaged one: later ones may build on it. The header must have been checked. */
export function decodeRecords(bytes: Uint8Array, start: number): WalFileContent {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: WalRecord[] = [];
  let offset = start;
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
