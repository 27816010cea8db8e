import { createHash } from 'node:crypto';
import { inParallel } from '../shared/in-parallel.ts';
import { ObjectStoreError, piecesOf } from '../storage/index.ts';
import { BackupError } from './contract.ts';
import { type BackupManifest, CONTENTS, contentKey, decodeManifest, type GivenUp, type StoredFile } from './manifest.ts';
import type { BackupPlace } from './place.ts';

/** Before the keys of manifests. */
export const MANIFESTS = 'backups/';
const ENDING = '.json';

/** Requests for manifests at the same time. */
export const READS_AT_ONCE = 8;

/**
 * The backups of a place: `backups/<name>.json` lists the files of one backup, `contents/<2 digits>/<SHA-256>-<run>` holds a content
 * once, however many backups have it. Contents are written before the manifest that names them, which is created once: a
 * backup whose manifest is there is whole.
 */
export class BackupRepository {
  readonly place: BackupPlace;

  constructor(place: BackupPlace) {
    this.place = place;
  }

  /** The complete backups, oldest first. Throws `BackupError` when the place holds none, or a damaged one. */
  async manifests(): Promise<readonly BackupManifest[]> {
    const names = await this.#namesOrRefuse();
    const found = new Map<string, BackupManifest>();
    await inParallel(names, READS_AT_ONCE, async (name) => {
      const manifest = await this.read(name);
      if (manifest !== undefined && !('givenUp' in manifest)) found.set(name, manifest);
    });
    return names.flatMap((name) => found.get(name) ?? []);
  }

  /** One backup, the newest without a name. Throws `BackupError`. */
  async manifest(name?: string): Promise<BackupManifest> {
    const names = await this.#namesOrRefuse();
    for (const chosen of name === undefined ? names.toReversed() : names.filter((each) => each === name)) {
      const manifest = await this.read(chosen);
      if (manifest !== undefined && !('givenUp' in manifest)) return manifest;
    }
    if (name === undefined) throw this.#empty();
    const known = (await this.manifests()).map((manifest) => manifest.name);
    throw new BackupError(`${this.place.text} has no backup ${name}`, { hint: `it has ${known.join(', ') || 'none'}` });
  }

  /** Names of what stands in the place of manifests, oldest first. */
  async names(): Promise<string[]> {
    const names: string[] = [];
    for await (const key of this.place.objects.list(MANIFESTS))
      if (key.endsWith(ENDING)) names.push(key.slice(MANIFESTS.length, -ENDING.length));
    return names;
  }

  /** What stands in the place of a manifest; undefined = nothing. Throws `BackupError` for something damaged. */
  async read(name: string): Promise<BackupManifest | GivenUp | undefined> {
    const { objects } = this.place;
    const key = manifestKey(name);
    try {
      return decodeManifest(await objects.get(key), objects.locate(key));
    } catch (error) {
      if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** Sizes of all contents by their keys. */
  async contents(): Promise<ReadonlyMap<string, number>> {
    const sizes = new Map<string, number>();
    for await (const { key, sizeBytes } of this.place.entries(CONTENTS)) sizes.set(key, sizeBytes);
    return sizes;
  }

  /** The content of a file, checked while it is read: it throws `BackupError` at its end when it is not what was stored. */
  async *content(file: StoredFile): AsyncGenerator<Uint8Array> {
    const { objects } = this.place;
    const { path, sha256, sizeBytes } = file;
    const key = contentKey(file);
    const hash = createHash('sha256');
    try {
      for await (const piece of piecesOf(objects, key, sizeBytes)) {
        hash.update(piece);
        yield piece;
      }
    } catch (error) {
      if (!(error instanceof ObjectStoreError)) throw error;
      const what = error.code === 'NOT_FOUND' ? `is missing: ${objects.locate(key)}` : `cannot be read: ${error.message}`;
      throw new BackupError(`${path} of the backup ${what}`, { cause: error });
    }
    if (hash.digest('hex') !== sha256) throw new BackupError(`${path} of the backup is damaged: ${objects.locate(key)}`);
  }

  async #namesOrRefuse(): Promise<string[]> {
    const names = await this.names();
    if (names.length === 0) throw this.#empty();
    return names;
  }

  #empty(): BackupError {
    return new BackupError(`${this.place.text} holds no backups`);
  }
}

/** Where the manifest of a backup is, below the place of the backups. */
export function manifestKey(name: string): string {
  return `${MANIFESTS}${name}${ENDING}`;
}
