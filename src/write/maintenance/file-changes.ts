import type { Catalog } from '../../catalog/index.ts';
import type { Store } from '../../storage/index.ts';
import type { AsideChange, TableIds, TablesAside } from '../aside/index.ts';
import type { LiveFile } from '../file-index/file-index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { FileRemoval } from '../file-index/file-removal.ts';
import type { PendingFiles } from '../file-index/pending-files.ts';
import type { ParquetFileInfo } from '../snapshot/index.ts';

export interface FileChangesOptions {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly nodeId: string;
  readonly files: FileIndexStore;
  readonly pending: PendingFiles;
  readonly removal: FileRemoval;
  readonly aside: TablesAside;
  /** Waits before a failed step is tried again; rejects when the server stops. */
  readonly pause: () => Promise<void>;
}

/** Files taken out with one snapshot info at most. */
const FILES_PER_CHANGE = 5_000;

/** Takes live files out and puts others in their place: announced first, then durable, then visible, then deleted. */
export class FileChanges {
  readonly #options: FileChangesOptions;

  constructor(options: FileChangesOptions) {
    this.#options = options;
  }

  /** Files that are no longer live when their turn comes are left out. Returns what was taken out. */
  async remove(files: readonly LiveFile[]): Promise<LiveFile[]> {
    const removed: LiveFile[] = [];
    for (let start = 0; start < files.length; start += FILES_PER_CHANGE) {
      const batch = files.slice(start, start + FILES_PER_CHANGE);
      await this.#options.pending.announce(batch.map((file) => this.below(file.path)));
      let gone: LiveFile[] = [];
      await this.#commit(() => {
        gone = this.#stillLive(batch);
        return gone.length === 0 ? undefined : { files: [], removedFiles: gone };
      });
      removed.push(...gone);
    }
    return removed;
  }

  /**
   * Puts `files` in the place of `inputs`. False = some input is no longer live: then nothing has changed. The paths of
   * `files` must be announced.
   */
  async replace(inputs: readonly LiveFile[], files: readonly ParquetFileInfo[]): Promise<boolean> {
    await this.#options.pending.announce(inputs.map((file) => this.below(file.path)));
    const replaced = await this.#commit(() =>
      this.#stillLive(inputs).length === inputs.length ? { files, removedFiles: inputs } : undefined,
    );
    if (replaced) this.#options.pending.settle(files.map((file) => this.below(file.path)));
    return replaced;
  }

  /** Forgets the side log of a table whose rows are gone. */
  async dropAside(table: TableIds): Promise<void> {
    const { aside, catalog, files, nodeId, pause } = this.#options;
    let change: AsideChange | undefined;
    await files.commit(
      () => {
        change = aside.changeWithout(table);
        if (change === undefined) return undefined;
        return { nodeId, catalogSequence: catalog.sequence, files: [], removedFiles: [], tablesAside: change.tablesAside };
      },
      { pause, onVisible: () => change?.done() },
    );
    await aside.remove(change?.needless ?? []);
  }

  /** Path below the node's directory. */
  below(path: string): string {
    return path.slice(this.#options.store.prefix.length + 1);
  }

  #commit(
    build: () => { readonly files: readonly ParquetFileInfo[]; readonly removedFiles: readonly LiveFile[] } | undefined,
  ): Promise<boolean> {
    const { catalog, files, nodeId, pause, removal } = this.#options;
    let gone: readonly LiveFile[] = [];
    return files.commit(
      () => {
        const change = build();
        if (change === undefined) return undefined;
        gone = change.removedFiles;
        return { ...change, nodeId, catalogSequence: catalog.sequence };
      },
      { pause, onVisible: () => removal.remove(gone.map((file) => this.below(file.path))) },
    );
  }

  #stillLive(files: readonly LiveFile[]): LiveFile[] {
    const { index } = this.#options.files;
    const livePaths = new Map<string, ReadonlySet<string>>();
    return files.filter(({ databaseId, tableId, path }) => {
      const key = `${databaseId}/${tableId}`;
      let paths = livePaths.get(key);
      if (paths === undefined) {
        paths = new Set(index.filesFor(databaseId, tableId).map((file) => file.path));
        livePaths.set(key, paths);
      }
      return paths.has(path);
    });
  }
}
