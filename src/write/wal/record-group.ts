import { paddedBytes, RECORD_HEADER_BYTES, writeRecordHeader } from './record.ts';

/** A record that is about to be written. */
export interface UnwrittenRecord {
  readonly body: Uint8Array;
  /** In the file. */
  readonly index: number;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
}

/** A body up to this size is copied: cheaper than handing the system one more piece of memory. */
const COPIED_BODY_BYTES_MAX = 64 * 1024;

const STAGING_BYTES_MIN = 64 * 1024;
/** More than this is given back after its group. */
const STAGING_BYTES_KEPT = 1024 * 1024;

/** Lays out the records of one group, small ones side by side in memory that the next group uses again. */
export class RecordGroupEncoder {
  #staging = Buffer.alloc(0);

  /** The bytes of the records, in pieces. Valid until the next call; bodies must not change before they are written. */
  encode(records: readonly UnwrittenRecord[]): Uint8Array[] {
    let needed = 0;
    for (const { body } of records) needed += stagedBytes(body.byteLength);
    const staging = this.#reserve(needed);
    const pieces: Uint8Array[] = [];
    let at = 0;
    let pieceStart = 0;
    for (const record of records) {
      const { body } = record;
      const length = body.byteLength;
      const end = at + RECORD_HEADER_BYTES + paddedBytes(length);
      if (length <= COPIED_BODY_BYTES_MAX) {
        staging.set(body, at + RECORD_HEADER_BYTES);
        staging.fill(0, at + RECORD_HEADER_BYTES + length, end);
        writeRecordHeader(staging, at, record, staging.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length));
        at = end;
        continue;
      }
      writeRecordHeader(staging, at, record, body);
      at += RECORD_HEADER_BYTES;
      pieces.push(staging.subarray(pieceStart, at), body);
      pieceStart = at;
      const padding = paddedBytes(length) - length;
      staging.fill(0, at, at + padding);
      at += padding;
    }
    if (at > pieceStart) pieces.push(staging.subarray(pieceStart, at));
    return pieces;
  }

  #reserve(bytes: number): Buffer {
    if (bytes > STAGING_BYTES_KEPT) return Buffer.allocUnsafeSlow(bytes);
    if (bytes > this.#staging.length) {
      let length = STAGING_BYTES_MIN;
      while (length < bytes) length *= 2;
      this.#staging = Buffer.allocUnsafeSlow(length);
    }
    return this.#staging;
  }
}

/** Bytes of a record that do not stand in its own body. */
function stagedBytes(bodyBytes: number): number {
  const padded = paddedBytes(bodyBytes);
  return RECORD_HEADER_BYTES + (bodyBytes <= COPIED_BODY_BYTES_MAX ? padded : padded - bodyBytes);
}
