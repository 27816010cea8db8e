import { crc32 } from 'node:zlib';

/** First bytes of every catalog file. No other program writes it, so foreign files are told at once. */
const MAGIC = Buffer.from('i3ts-cat', 'latin1');

/**
 * magic 8 · CRC-32 of all that follows it 4 · payload length 4 · sequence 8 · catalog UUID 16 · kind 1 · zero 7 · payload.
 * Numbers are little-endian.
 */
const HEADER_BYTES = 48;
const CHECKED_FROM = 12;

const KINDS = { log: 1, snapshot: 2 } as const;

export type CatalogFileKind = keyof typeof KINDS;

/** A catalog file: one change (`log`) or the whole catalog after the change of that sequence (`snapshot`). */
export interface CatalogFile {
  readonly kind: CatalogFileKind;
  readonly uuid: string;
  readonly sequence: number;
  /** UTF-8 JSON lines. */
  readonly payload: Uint8Array;
}

/** Bytes of a catalog file: a header with CRC-32, length, sequence, UUID and kind, then the payload. Pure; the caller writes them. */
export function encodeCatalogFile(file: CatalogFile): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES + file.payload.byteLength);
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(file.payload.byteLength, 12);
  bytes.writeBigUInt64LE(BigInt(file.sequence), 16);
  bytes.write(file.uuid.replaceAll('-', ''), 24, 'hex');
  bytes.writeUInt8(KINDS[file.kind], 40);
  bytes.set(file.payload, HEADER_BYTES);
  bytes.writeUInt32LE(crc32(bytes.subarray(CHECKED_FROM)), 8);
  return bytes;
}

/** The file, or the reason why it is none (as a text for the log). */
export function decodeCatalogFile(input: Uint8Array, kind: CatalogFileKind): CatalogFile | string {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.length === 0) return 'file is empty';
  if (bytes.length < HEADER_BYTES) return 'file is shorter than its header';
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'not a catalog file of this program';
  const length = bytes.readUInt32LE(12);
  if (bytes.length !== HEADER_BYTES + length) return 'file is shorter or longer than its header says';
  if (crc32(bytes.subarray(CHECKED_FROM)) !== bytes.readUInt32LE(8)) return 'checksum mismatch';
  if (bytes.readUInt8(40) !== KINDS[kind]) return `not a catalog ${kind}`;
  return {
    kind,
    uuid: formatUuid(bytes.toString('hex', 24, 40)),
    sequence: Number(bytes.readBigUInt64LE(16)),
    payload: bytes.subarray(HEADER_BYTES),
  };
}

function formatUuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
