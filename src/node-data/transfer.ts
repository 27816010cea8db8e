import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { nodeFileSystem, type ObjectStore, PIECE_BYTES, PreparedFolders, piecesOf, TEMPORARY_SUFFIX } from '../storage/index.ts';
import { NodeDataError } from './errors.ts';
import type { NodePlace } from './node-place.ts';

/** Told of bytes that were read or written; their sum says how much work was done. */
export type OnBytes = (count: number) => void;

/** CRC-32 of an object, read piece by piece. */
export async function checksumOf(objects: ObjectStore, key: string, sizeBytes: number, onBytes: OnBytes): Promise<number> {
  let sum = 0;
  for await (const piece of piecesOf(objects, key, sizeBytes)) {
    sum = crc32(piece, sum);
    onBytes(piece.byteLength);
  }
  return sum;
}

/** Copies objects from one place to another, each as a whole. */
export class Transfer {
  readonly #source: NodePlace;
  readonly #target: NodePlace;
  /** For objects on their way between two buckets. */
  readonly #spoolDirectory: string;
  /** What an earlier copy left half-written there is removed. */
  readonly #folders: PreparedFolders;

  constructor(source: NodePlace, target: NodePlace, spoolDirectory: string) {
    this.#source = source;
    this.#target = target;
    this.#spoolDirectory = spoolDirectory;
    this.#folders = new PreparedFolders(target.objects);
  }

  /** Replaces an object of the target, durably. Answers with the CRC-32 of what was read. */
  async copy(key: string, sizeBytes: number, onBytes: OnBytes): Promise<number> {
    const { objects } = this.#target;
    await this.#folders.ready(key);
    if (sizeBytes <= PIECE_BYTES) {
      const bytes = await this.#source.objects.get(key);
      if (bytes.byteLength !== sizeBytes) throw changedSize(this.#source, key);
      onBytes(sizeBytes);
      await objects.put(key, bytes, 'overwrite');
      return crc32(bytes);
    }
    const { bucket } = this.#target;
    if (bucket === undefined) return this.#write(key, sizeBytes, objects.locate(key), onBytes);
    const { directory } = this.#source;
    if (directory !== undefined) return this.#upload(key, sizeBytes, join(directory, key), onBytes);
    const spooled = join(this.#spoolDirectory, encodeURIComponent(key));
    try {
      const sum = await this.#write(key, sizeBytes, spooled, onBytes);
      await bucket.putFile(key, spooled, sizeBytes);
      return sum;
    } finally {
      await rm(spooled, { force: true });
    }
  }

  async #upload(key: string, sizeBytes: number, path: string, onBytes: OnBytes): Promise<number> {
    let sum = 0;
    for await (const piece of createReadStream(path, { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>) {
      sum = crc32(piece, sum);
      onBytes(piece.byteLength);
    }
    await this.#target.bucket?.putFile(key, path, sizeBytes);
    return sum;
  }

  async #write(key: string, sizeBytes: number, path: string, onBytes: OnBytes): Promise<number> {
    const temporary = path + TEMPORARY_SUFFIX;
    let sum = 0;
    const file = await nodeFileSystem.open(temporary, 'truncate');
    try {
      let position = 0;
      for await (const piece of piecesOf(this.#source.objects, key, sizeBytes)) {
        sum = crc32(piece, sum);
        await file.writev([piece], position);
        position += piece.byteLength;
        onBytes(piece.byteLength);
      }
      await file.datasync();
    } finally {
      await file.close();
    }
    await nodeFileSystem.rename(temporary, path);
    await nodeFileSystem.syncDirectory(dirname(path));
    return sum;
  }
}

function changedSize({ objects }: NodePlace, key: string): NodeDataError {
  return new NodeDataError(`${objects.locate(key)} was changed while it was read`, {
    hint: 'stop the server that writes there, and run the copy again',
  });
}
