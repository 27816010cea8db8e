import { join } from 'node:path';
import { CATALOG_SNAPSHOT_KEY, type Catalog } from '../../catalog/index.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { CatalogSequence } from '../../shared/ids.ts';
import type { BucketStore, Store } from '../../storage/index.ts';
import type { AsideLog } from '../aside/index.ts';
import { encodeFileIndex } from '../file-index/file-index-codec.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { FileRemoval } from '../file-index/file-removal.ts';
import { INDEX_KEY } from '../file-index/load-index.ts';
import type { Wal } from '../wal/index.ts';

/** A file that stays on disk, unchanged, while its moment is pinned. */
export interface PinnedFile {
  /** Below the node's directory, parts joined by `/`. */
  readonly path: string;
  /** Absolute path, or the bucket that has it under `path`. */
  readonly source: string | BucketStore;
  readonly sizeBytes: number;
}

/**
 * What a node held at one moment. A directory with these files and objects starts as the node would have started after a
 * crash at that moment: with every write that was acknowledged before `pin` was called, each write as a whole, and without
 * any that was sent after `pin` had resolved.
 */
export interface PinnedMoment {
  /** Number of the last catalog change. */
  readonly catalogSequence: CatalogSequence;
  /** Contents of small files that go on changing, by their path below the node's directory. */
  readonly objects: ReadonlyMap<string, Uint8Array>;
  /** Parquet files, log files and side logs of tables that are set aside. */
  readonly files: readonly PinnedFile[];
  /** Aborted when the files are no longer held although nobody released them: the store ends, or is opened anew. */
  readonly signal: AbortSignal;
  /** Lets the files go. Idempotent. */
  release(): void;
}

export interface PinDependencies {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly wal: Wal;
  readonly files: FileIndexStore;
  readonly removal: FileRemoval;
  readonly asideLog: AsideLog;
}

/** Keeps the files of moments on disk until they are released, or the store ends. */
export class Pins {
  readonly #deps: PinDependencies;
  readonly #held = new Set<AbortController>();
  #ended: Error | undefined;

  constructor(deps: PinDependencies) {
    this.#deps = deps;
  }

  /** Pins the present moment. Rejects with PIN_WITHOUT_LOG for a store in memory, or when the catalog is closed. */
  async pin(): Promise<PinnedMoment> {
    const { catalog, files, store, wal } = this.#deps;
    if (!store.durable) throw pinWithoutLog();
    await wal.rotate(); // what was acknowledged is in closed files
    const { captured, snapshot } = await catalog.moment((sequence) => ({ sequence, ...this.#hold() }));
    const { index, release, sequence, walFiles } = captured;
    const ending = new AbortController();
    const pinned: PinnedFile[] = [
      ...index.files.map((file) => this.#file(file.path.slice(store.prefix.length + 1), file.sizeBytes)),
      ...walFiles.map(({ name, sizeBytes }) => this.#file(`wal/${name}`, sizeBytes)),
    ];
    try {
      for (const name of files.sideLogs(index)) {
        const { sizeBytes } = await store.objects.head(`aside/${name}`);
        pinned.push(this.#file(`aside/${name}`, sizeBytes));
      }
      await wal.settled(); // closed files lose what was prepared for more records
      if (this.#ended !== undefined) throw this.#ended;
    } catch (error) {
      release();
      throw error;
    }
    this.#held.add(ending);
    return {
      catalogSequence: sequence,
      objects: new Map([
        [CATALOG_SNAPSHOT_KEY, snapshot],
        [INDEX_KEY, encodeFileIndex(index, catalog.uuid)],
      ]),
      files: pinned,
      signal: ending.signal,
      release: () => {
        this.#held.delete(ending);
        release();
      },
    };
  }

  /** Tells whoever holds a moment that its files are not kept any more. */
  end(reason: Error): void {
    this.#ended = reason;
    for (const held of this.#held) held.abort(reason);
    this.#held.clear();
  }

  /** In one step: which files there are, and that they stay. */
  #hold(): { index: ReturnType<FileIndexStore['stored']>; walFiles: ReturnType<Wal['hold']>['files']; release: () => void } {
    const { asideLog, files, removal, wal } = this.#deps;
    const index = files.stored();
    const log = wal.hold(index.state.walFileNumber);
    const endings = [log.release, removal.reader(), asideLog.hold(files.sideLogs(index))];
    return { index, walFiles: log.files, release: () => endings.splice(0).forEach((end) => void end()) };
  }

  #file(path: string, sizeBytes: number): PinnedFile {
    const { bucket, root } = this.#deps.store;
    return { path, source: bucket?.store ?? join(root, path), sizeBytes };
  }
}

function pinWithoutLog(): InfluxError {
  return new InfluxError({ code: 'PIN_WITHOUT_LOG', message: 'a store in memory keeps no files that could be copied', status: 400 });
}
