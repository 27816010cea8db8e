import { createHash, randomUUID } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { type CancelTimer, pause, type Timers } from '../shared/timers.ts';
import { createKnown, ObjectStoreError, PIECE_BYTES, pauseBefore, sameBytes } from '../storage/index.ts';
import { BackupError, type OfferedFile, type OfferedMoment } from './contract.ts';
import { type BackupManifest, backupName, contentKey, encodeSealed, type Progress, type StoredFile } from './manifest.ts';
import type { BackupPlace } from './place.ts';
import { manifestKey } from './repository.ts';
import { progressKey } from './unfinished.ts';

/** A part of the progress is put so often while there is something new, ms. */
const PROGRESS_EVERY_MS = 10_000;

/** And so often when there is nothing new, ms. */
const SILENCE_MS_MAX = 60_000;

/** Attempts to create an object whose put has no answer. */
const CREATE_ATTEMPTS_MAX = 6;

/**
 * One backup on its way: it is announced before it looks at what others left, puts contents under keys that nobody used before or
 * will use again, and tells from time to time what it has. It ends when its manifest is created.
 */
export class BackupRun {
  readonly name: string;
  readonly #place: BackupPlace;
  readonly #timers: Timers;
  /** Part of the keys of its contents. */
  readonly #run: string;
  readonly #catalogUuid: string;
  /** Where contents are or should be, by their SHA-256. */
  readonly #known = new Map<string, { readonly file: StoredFile; readonly isThere: boolean }>();
  #untold: StoredFile[] = [];
  #parts = 1;
  #silentMs = 0;
  #telling: Promise<void> = Promise.resolve();
  #stopTelling: CancelTimer = () => undefined;

  /** Announces a backup under a name that nothing has yet. */
  static async begin(place: BackupPlace, moment: OfferedMoment, timers: Timers): Promise<BackupRun> {
    const run = randomUUID().replaceAll('-', '').slice(0, 12);
    const base = backupName(moment.takenAt);
    for (let n = 1; ; n++) {
      const begun = new BackupRun(place, timers, { name: n === 1 ? base : `${base}-${n}`, run, catalogUuid: moment.catalogUuid });
      if (await begun.#announce()) return begun;
    }
  }

  private constructor(place: BackupPlace, timers: Timers, { name, run, catalogUuid }: Record<'name' | 'run' | 'catalogUuid', string>) {
    this.name = name;
    this.#place = place;
    this.#timers = timers;
    this.#run = run;
    this.#catalogUuid = catalogUuid;
  }

  /** A content that other backups have, found after the announcement. One that is not there is put again when it comes. */
  know(file: StoredFile, isThere: boolean): void {
    if (isThere || !this.#known.has(file.sha256)) this.#known.set(file.sha256, { file, isThere });
  }

  /** Stores a content durably. Throws `BackupError` for another size or CRC-32 than offered. */
  async add(bytes: AsyncIterable<Uint8Array>, offered: OfferedFile, onBytes: (count: number) => void): Promise<StoredFile> {
    const content = new IncomingContent(bytes, offered, onBytes);
    const stored = offered.sizeBytes <= PIECE_BYTES ? await this.#addSmall(content) : await this.#addLarge(content);
    if (stored.crc32 !== undefined && offered.crc32 !== undefined) this.#untold.push(stored);
    return stored;
  }

  async #addSmall(content: IncomingContent): Promise<StoredFile> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of content.chunks()) chunks.push(chunk);
    const { isThere, key, stored } = this.#placed(content);
    if (!isThere) await this.#place.objects.put(key, Buffer.concat(chunks), 'overwrite');
    return stored;
  }

  async #addLarge(content: IncomingContent): Promise<StoredFile> {
    const path = await this.#place.spoolPath();
    try {
      const file = await open(path, 'wx');
      try {
        for await (const chunk of content.chunks()) await file.writeFile(chunk);
        await file.sync();
      } finally {
        await file.close();
      }
      const { isThere, key, stored } = this.#placed(content);
      if (!isThere) await this.#place.storeSpooled(key, path, stored.sizeBytes);
      return stored;
    } finally {
      await rm(path, { force: true });
    }
  }

  /** Where a content is, or will be. */
  #placed({ checksum, offered, sha256 }: IncomingContent): {
    readonly key: string;
    readonly stored: StoredFile;
    readonly isThere: boolean;
  } {
    const known = this.#known.get(sha256);
    const run = known === undefined ? this.#run : known.file.run;
    const stored = { path: offered.path, sizeBytes: offered.sizeBytes, sha256, crc32: checksum, ...(run === undefined ? {} : { run }) };
    return { key: contentKey(stored), stored, isThere: known?.isThere === true };
  }

  /** Creates the manifest. Throws `BackupError` when another backup has taken this one for interrupted. */
  async publish(manifest: BackupManifest): Promise<void> {
    await this.stop();
    if ((await createdHere(this.#place, manifestKey(this.name), encodeSealed(manifest), this.#timers)) === 'created') {
      this.#untold = [];
      await this.#removeProgress().catch(() => undefined); // whoever finds it beside the manifest removes it
      return;
    }
    throw new BackupError(`backup ${this.name} stood still for so long that another one took it for interrupted`, {
      hint: 'take the backup again',
    });
  }

  /** Tells the last that is new, for the next backup, and nothing from then on. */
  async stop(): Promise<void> {
    this.#stopTelling();
    await this.#telling;
    if (this.#untold.length > 0) await this.#tell();
  }

  async #announce(): Promise<boolean> {
    const { objects } = this.#place;
    const isFree = await objects.head(manifestKey(this.name)).then(
      () => false,
      (error: unknown) => {
        if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return true;
        throw error;
      },
    );
    if (!isFree || (await createdHere(this.#place, progressKey(this.name, 0), this.#part([]), this.#timers)) === 'taken') return false;
    this.#stopTelling = this.#timers.every(PROGRESS_EVERY_MS, () => {
      this.#silentMs += PROGRESS_EVERY_MS;
      if (this.#untold.length === 0 && this.#silentMs < SILENCE_MS_MAX) return;
      this.#telling = this.#telling.then(() => this.#tell());
    });
    return true;
  }

  /** A part that cannot be put is put with the next one; when nothing can be put, the copy hears of it. */
  async #tell(): Promise<void> {
    const told = this.#untold;
    this.#untold = [];
    try {
      await this.#place.objects.put(progressKey(this.name, this.#parts), this.#part(told), 'overwrite');
      this.#parts++;
      this.#silentMs = 0;
    } catch {
      this.#untold = [...told, ...this.#untold];
    }
  }

  #part(files: readonly StoredFile[]): Buffer {
    const progress: Progress = { version: 2, run: this.#run, catalogUuid: this.#catalogUuid, files };
    return encodeSealed(progress);
  }

  async #removeProgress(): Promise<void> {
    await this.#place.objects.delete(Array.from({ length: this.#parts + 1 }, (_, part) => progressKey(this.name, part)));
  }
}

/** Creates an object that no other process would write byte for byte; `taken` = the key holds something else. */
export function createdHere(place: BackupPlace, key: string, bytes: Uint8Array, timers: Timers): Promise<'created' | 'taken'> {
  return createKnown(place.objects, key, bytes, {
    isOurs: sameBytes(key, bytes),
    async pause(attempt, error) {
      if (!(error instanceof ObjectStoreError) || error.code !== 'UNAVAILABLE' || attempt + 1 >= CREATE_ATTEMPTS_MAX) throw error;
      await pause(timers, pauseBefore(attempt));
    },
  });
}

/** Bytes on their way, compared with what was offered at their end. */
class IncomingContent {
  readonly offered: OfferedFile;
  readonly #bytes: AsyncIterable<Uint8Array>;
  readonly #onBytes: (count: number) => void;
  /** CRC-32 of what has arrived. */
  checksum = 0;
  /** Of the whole content, once it has arrived. */
  sha256 = '';

  constructor(bytes: AsyncIterable<Uint8Array>, offered: OfferedFile, onBytes: (count: number) => void) {
    this.#bytes = bytes;
    this.offered = offered;
    this.#onBytes = onBytes;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const { crc32: expected, path, sizeBytes } = this.offered;
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of this.#bytes) {
      hash.update(chunk);
      this.checksum = crc32(chunk, this.checksum);
      size += chunk.byteLength;
      if (size > sizeBytes) break;
      this.#onBytes(chunk.byteLength);
      yield chunk;
    }
    if (size !== sizeBytes)
      throw new BackupError(`${path}: ${size > sizeBytes ? 'more' : size} bytes arrived instead of ${sizeBytes}`, {
        hint: 'take the backup again',
      });
    if (expected !== undefined && this.checksum !== expected) {
      throw new BackupError(`${path}: its checksum is not the one that the server wrote it with`, {
        hint: 'the file of the server is damaged, or was changed on the way; take the backup again',
      });
    }
    this.sha256 = hash.digest('hex');
  }
}
