import { TEMPORARY_SUFFIX, unlinkIfPresent } from '../atomic-write.ts';
import type { FileSystem } from '../file-system.ts';
import type { BucketStore } from '../objects/index.ts';
import type { DataFile } from './data-files.ts';

/** Bytes of one request. */
const PIECE_BYTES = 8 * 1024 * 1024;

/** Requests for one file at the same time. */
const PIECES_AT_ONCE = 4;

/**
 * Copies an object to a local path, under which it appears as a whole. Rejects when it has not the size and checksum of `file`.
 * @param file `path` is the object's key
 */
export async function fetchFile(bucket: BucketStore, fs: FileSystem, file: DataFile, local: string): Promise<void> {
  const temporary = local + TEMPORARY_SUFFIX;
  try {
    await fetchTo(bucket, fs, file, temporary);
    await fs.rename(temporary, local);
  } catch (error) {
    await unlinkIfPresent(fs, temporary).catch(() => undefined); // the first failure is the one to report
    throw error;
  }
}

async function fetchTo(bucket: BucketStore, fs: FileSystem, { crc32, path, sizeBytes }: DataFile, local: string): Promise<void> {
  const target = await fs.open(local, 'truncate');
  try {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let start = next; start < sizeBytes; start = next) {
        next += PIECE_BYTES;
        const length = Math.min(PIECE_BYTES, sizeBytes - start);
        const piece = await bucket.getRange(path, start, length);
        if (piece.byteLength !== length) throw new Error(`the object has fewer than ${sizeBytes} bytes`);
        await target.writev([piece], start);
      }
    };
    await Promise.all(Array.from({ length: PIECES_AT_ONCE }, worker));
  } finally {
    await target.close();
  }
  if (crc32 !== undefined && (await fs.checksum(local)) !== crc32) throw new Error('the object has another checksum than was written down');
}
