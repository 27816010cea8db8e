import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { crc32 } from 'node:zlib';
import { acquireNodeLock, atomicWrite, type NodeLock, nodeFileSystem } from '../storage/index.ts';
import { BackupError } from './contract.ts';
import { type BackupManifest, decodeManifest, encodeManifest, type StoredFile } from './manifest.ts';

const MANIFESTS = 'backups';
const CONTENTS = 'contents';
const ENDING = '.json';

/**
 * A directory of backups: `backups/<name>.json` lists the files of one backup, `contents/<2 digits>/<SHA-256>` holds each content
 * once, however many backups have it. Contents are written before the list that names them, so a list that is there is whole.
 */
export class BackupRepository {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes this process the only one that writes to the directory, which is made. Throws `BackupError` when another one does. */
  async lock(): Promise<NodeLock> {
    await mkdir(join(this.#directory, MANIFESTS), { recursive: true });
    try {
      return await acquireNodeLock(this.#directory);
    } catch (error) {
      throw new BackupError(`${this.#directory} is being written to by another backup`, { hint: 'wait until it has ended', cause: error });
    }
  }

  /** Names of the complete backups, oldest first. Throws `BackupError` when the directory is none of backups. */
  async names(): Promise<readonly string[]> {
    const entries = await readdir(join(this.#directory, MANIFESTS)).catch((error: unknown) => {
      throw new BackupError(`${this.#directory} holds no backups`, { cause: error });
    });
    return entries
      .filter((entry) => entry.endsWith(ENDING))
      .map((entry) => entry.slice(0, -ENDING.length))
      .sort();
  }

  /** One backup, the newest without a name. Throws `BackupError`. */
  async manifest(name?: string): Promise<BackupManifest> {
    const names = await this.names();
    const chosen = name ?? names.at(-1);
    if (chosen === undefined) throw new BackupError(`${this.#directory} holds no complete backup`);
    if (!names.includes(chosen))
      throw new BackupError(`${this.#directory} has no backup ${chosen}`, { hint: `it has ${names.join(', ')}` });
    const path = join(this.#directory, MANIFESTS, chosen + ENDING);
    return decodeManifest(await readFile(path, 'utf8'), path);
  }

  /** Makes a backup visible. */
  async publish(manifest: BackupManifest): Promise<void> {
    await atomicWrite(nodeFileSystem, join(this.#directory, MANIFESTS, manifest.name + ENDING), Buffer.from(encodeManifest(manifest)));
    await nodeFileSystem.syncDirectory(this.#directory);
  }

  /** Whether a content is there with its size. Its bytes are not read. */
  async has({ sha256, sizeBytes }: StoredFile): Promise<boolean> {
    const found = await stat(this.#pathOf(sha256)).catch(() => undefined);
    return found?.size === sizeBytes;
  }

  /** Stores a content under its SHA-256, durably. Answers with both checksums. Throws `BackupError` for another size or CRC-32 than expected. */
  async add(
    bytes: AsyncIterable<Uint8Array>,
    expected: { readonly path: string; readonly sizeBytes: number; readonly crc32?: number | undefined },
    onBytes: (count: number) => void,
  ): Promise<StoredFile> {
    const temporary = join(this.#directory, CONTENTS, `new-${randomUUID()}`);
    await mkdir(dirname(temporary), { recursive: true });
    const hash = createHash('sha256');
    let sum = 0;
    let size = 0;
    try {
      const file = await open(temporary, 'wx');
      try {
        for await (const chunk of bytes) {
          hash.update(chunk);
          sum = crc32(chunk, sum);
          size += chunk.byteLength;
          onBytes(chunk.byteLength);
          await file.writeFile(chunk);
        }
        await file.sync();
      } finally {
        await file.close();
      }
      if (size !== expected.sizeBytes) throw new BackupError(`${expected.path}: ${size} bytes arrived instead of ${expected.sizeBytes}`);
      if (expected.crc32 !== undefined && sum !== expected.crc32) {
        throw new BackupError(`${expected.path}: its checksum is not the one that the server wrote it with`, {
          hint: 'the file of the server is damaged, or was changed on the way; take the backup again',
        });
      }
      const sha256 = hash.digest('hex');
      const target = this.#pathOf(sha256);
      await mkdir(dirname(target), { recursive: true });
      await rename(temporary, target);
      await nodeFileSystem.syncDirectory(dirname(target));
      return { path: expected.path, sizeBytes: size, sha256, crc32: sum };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }

  /** The content of a file, checked while it is read: it throws `BackupError` at its end when it is not what was stored. */
  async *read({ path, sha256, sizeBytes }: StoredFile): AsyncIterable<Buffer> {
    const hash = createHash('sha256');
    let size = 0;
    const source = this.#pathOf(sha256);
    try {
      for await (const chunk of createReadStream(source, { highWaterMark: READ_BYTES }) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        size += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw new BackupError(`${path} of the backup cannot be read: ${(error as Error).message}`, { cause: error });
    }
    if (size !== sizeBytes || hash.digest('hex') !== sha256) throw new BackupError(`${path} of the backup is damaged: ${source}`);
  }

  /** Removes all but the newest backups, and contents that no backup has. Hold the lock. Answers with the names that went. */
  async keepNewest(count: number): Promise<readonly string[]> {
    const names = await this.names();
    const going = names.slice(0, Math.max(0, names.length - count));
    for (const name of going) await rm(join(this.#directory, MANIFESTS, name + ENDING));
    await nodeFileSystem.syncDirectory(join(this.#directory, MANIFESTS));
    await this.removeUnused();
    return going;
  }

  /** Removes what no backup has, such as the remains of one that did not end. Hold the lock. */
  async removeUnused(): Promise<void> {
    const used = new Set<string>();
    for (const name of await this.names()) for (const { sha256 } of (await this.manifest(name)).files) used.add(sha256);
    const contents = join(this.#directory, CONTENTS);
    const entries = await readdir(contents, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of entries) if (entry.isFile() && !used.has(entry.name)) await rm(join(entry.parentPath, entry.name), { force: true });
  }

  #pathOf(sha256: string): string {
    return join(this.#directory, CONTENTS, sha256.slice(0, 2), sha256);
  }
}

const READ_BYTES = 512 * 1024;
