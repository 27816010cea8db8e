import { randomUUID } from 'node:crypto';
import type { CatalogSequence, WalFileNumber } from '../../shared/ids.ts';
import { type Checkpoints, errorText, Fence, ObjectStoreError, TakenOver } from '../../storage/index.ts';
import type { TableDelete } from '../deletes/row-delete.ts';
import type { FileIndex, LiveFile } from './file-index.ts';
import { encodeFileIndex, type IndexState, type StoredFileIndex } from './file-index-codec.ts';
import { InfoPruning, indexCheckpoints } from './info-pruning.ts';
import { INDEX_KEY, type LoadedIndex, type LoadIndexOptions, type LostInfo, loadIndex } from './load-index.ts';
import type { ParquetFileInfo, PersistedRange, SnapshotInfo, TableAside } from './snapshot-info.ts';
import type { SnapshotStore } from './snapshot-store.ts';

/** Snapshots after which the index file is rewritten: a start reads at most about as many infos. */
const SNAPSHOTS_PER_SAVE = 50;

/** With no more files than this the index file is rewritten after every change: a second copy of what the infos say. */
const SMALL_INDEX_FILES = 2_000;

/** How often a start reads infos again because some were deleted meanwhile. */
const LOAD_ATTEMPTS_MAX = 10;

/** One atomic change of the live files. */
export interface FileChange {
  readonly nodeId: string;
  readonly catalogSequence: CatalogSequence;
  /** Complete and durable on disk; ids come from `takeFileIds`. */
  readonly files: readonly ParquetFileInfo[];
  /** Live files; their paths are announced as pending. */
  readonly removedFiles: readonly ParquetFileInfo[];
  readonly deletes?: readonly TableDelete[];
  /** The new list; undefined = as it is. */
  readonly tablesAside?: readonly TableAside[];
  /** What a snapshot of the buffer covers; undefined for other changes. */
  readonly snapshot?: {
    readonly walFileNumber: WalFileNumber;
    readonly endTimeMarkerNs: bigint;
    readonly frozenWalFileNumber: WalFileNumber;
  };
}

export interface FileIndexStoreOptions extends LoadIndexOptions {
  readonly snapshotsPerSave?: number;
  /** For a store that is shared: infos between two checkpoints; 200 by default. */
  readonly infosPerCheckpoint?: number | undefined;
  /** Told when another process has taken over. */
  readonly fence?: Fence;
  /** For a store that is shared: how this process claims it. */
  readonly claim?: { readonly nodeId: string; readonly pause: () => Promise<void> } | undefined;
}

/** The live files of a node as its snapshot infos tell them, and where those infos are saved. */
export class FileIndexStore {
  readonly index: FileIndex;
  /** Newest snapshot at start: gives the next file id, snapshot sequence and the covered WAL file. Undefined = none yet. */
  readonly newest: SnapshotInfo | undefined;
  /**
   * What replay must leave out, newest first: a snapshot persists whole chunks, also rows of WAL files that it does not
   * cover, and when times go backwards a later snapshot need not cover the same chunks.
   */
  get persistedRanges(): readonly PersistedRange[] {
    return this.#state.persistedRanges;
  }

  /** Tables whose rows a start does not take from the log, or not from all of it. */
  get tablesAside(): readonly TableAside[] {
    return this.#state.tablesAside;
  }

  /** Log files up to this one are not read by a start. */
  get walFileNumber(): number {
    return this.#state.walFileNumber;
  }

  /** Snapshot infos that the start found missing or damaged, and that nothing stands for. */
  readonly lost: readonly LostInfo[];
  /** Snapshot infos that could not be read and were renamed: files that only they listed are not served. */
  readonly movedAside: readonly string[];
  readonly #options: FileIndexStoreOptions;
  readonly #snapshots: SnapshotStore;
  readonly #fence: Fence;
  readonly #checkpoints: Checkpoints<StoredFileIndex>;
  readonly #pruning: InfoPruning;
  /** The newest checkpoint that the start saw. */
  readonly #loadedCheckpoint: number;
  readonly #writer = randomUUID();
  #savedSequence: number;
  /** After the newest change. */
  #state: IndexState;
  #changing: Promise<unknown> = Promise.resolve();
  #saving: Promise<void> | undefined;

  /**
   * Reads what is on disk (see `loadIndex`). With `claim` no other process can add infos from then on, and what is read is all
   * that it added. Throws `StorageStartupError`.
   */
  static async open(options: FileIndexStoreOptions): Promise<FileIndexStore> {
    if (options.claim === undefined) return new FileIndexStore(options, await loadIndex(options));
    for (let attempt = 1; ; attempt++) {
      try {
        const store = new FileIndexStore(options, await loadIndex({ ...options, shared: true }));
        const claim = await store.#claim();
        if (claim === undefined || (await store.#isOvertaken())) continue;
        store.publish(claim); // not before: it may write index and checkpoint
        return store;
      } catch (error) {
        // Another process that still runs deletes infos that a checkpoint stands for.
        if (!(error instanceof ObjectStoreError && error.code === 'NOT_FOUND') || attempt >= LOAD_ATTEMPTS_MAX) throw error;
      }
    }
  }

  private constructor(options: FileIndexStoreOptions, loaded: LoadedIndex) {
    this.#options = options;
    this.#fence = options.fence ?? new Fence();
    this.#snapshots = loaded.snapshots;
    this.index = loaded.index;
    this.newest = loaded.newest;
    this.lost = loaded.lost;
    this.#state = { ...loaded.state, nextFileId: Math.max(loaded.state.nextFileId, loaded.index.maxFileId + 1) };
    this.movedAside = loaded.movedAside;
    this.#savedSequence = loaded.savedSequence;
    this.#loadedCheckpoint = loaded.checkpointSequence;
    this.#checkpoints = indexCheckpoints(options.objects, options.uuid, options.log);
    this.#pruning = new InfoPruning({
      objects: options.objects,
      checkpoints: this.#checkpoints,
      snapshots: this.#snapshots,
      fence: this.#fence,
      log: options.log,
      checkpointed: loaded.checkpointSequence,
      infosPerCheckpoint: options.infosPerCheckpoint,
    });
  }

  /** Undefined = another process has added an info meanwhile. */
  async #claim(): Promise<SnapshotInfo | undefined> {
    const { claim } = this.#options;
    if (claim === undefined) return undefined;
    const change = { nodeId: claim.nodeId, catalogSequence: this.#state.catalogSequence, files: [], removedFiles: [] };
    const info = this.#infoOf(change);
    return (await this.#saveKnown(info, claim.pause)) ? info : undefined;
  }

  /**
   * Whether infos may have been deleted that were not read, or among which the claim was put: another process that still ran
   * wrote a checkpoint since the load began. The claim is then as good as none.
   */
  async #isOvertaken(): Promise<boolean> {
    const [newest = 0] = await this.#checkpoints.sequences();
    return newest > this.#loadedCheckpoint;
  }

  /** Reserves file ids; returns the first. Ids that no change uses are given out again after a restart. */
  takeFileIds(count: number): number {
    const { nextFileId } = this.#state;
    this.#state = { ...this.#state, nextFileId: nextFileId + count };
    return nextFileId;
  }

  /**
   * Makes a change durable, then visible; changes queue up behind each other. `build` runs when its turn has come, so it
   * sees the index that it changes; undefined = nothing to do after all. `onVisible` runs in the same step in which
   * readers see the change. A failing disk is tried again after each `pause`: once the write was begun nobody can know
   * whether it took place, so it must not be given up as long as the process goes on. Rejects when `pause` does.
   */
  commit(build: () => FileChange | undefined, options: CommitOptions): Promise<boolean> {
    const next = this.#changing.then(() => this.#commit(build, options));
    this.#changing = next.catch(() => undefined); // reported to whoever wanted the change
    return next;
  }

  async #commit(build: () => FileChange | undefined, options: CommitOptions): Promise<boolean> {
    const change = build();
    if (change === undefined) return false;
    const info = this.#infoOf(change);
    if (!(await this.#saveKnown(info, options.pause))) throw this.#fence.lose(this.#snapshots.locate(info.sequence));
    this.publish(info);
    options.onVisible?.();
    return true;
  }

  /** True = the info is durable; false = another one has its sequence. Tries until it is known; rejects when `pause` does. */
  async #saveKnown(info: SnapshotInfo, pause: () => Promise<void>): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      if (this.#fence.reason !== undefined) throw new TakenOver(this.#fence.reason);
      try {
        return (await this.#snapshots.save(info)) === 'created';
      } catch (error) {
        if (attempt === 1) {
          this.#options.log.error('writing the snapshot info failed; retrying every second', { error: errorText(error) });
        }
        await pause();
      }
    }
  }

  #infoOf(change: FileChange): SnapshotInfo {
    const { snapshot } = change;
    const walFileNumber = snapshot?.walFileNumber ?? this.#state.walFileNumber;
    const added =
      snapshot === undefined ? [] : [{ lastWalFileNumber: snapshot.frozenWalFileNumber, endMarkerNs: snapshot.endTimeMarkerNs }];
    return {
      nodeId: change.nodeId,
      writer: this.#writer,
      sequence: this.index.sequence + 1,
      nextFileId: this.#state.nextFileId,
      walFileNumber,
      catalogSequence: change.catalogSequence,
      files: change.files,
      removedFiles: change.removedFiles,
      deletes: change.deletes,
      endTimeMarkerNs: snapshot?.endTimeMarkerNs,
      frozenWalFileNumber: snapshot?.frozenWalFileNumber,
      persistedRanges: neededRanges([...added, ...this.#state.persistedRanges], walFileNumber),
      ...aside(change.tablesAside ?? this.#state.tablesAside, walFileNumber),
    };
  }

  /** Serves the files of a saved snapshot, and rewrites the index file in the background when it is time. */
  publish(info: SnapshotInfo): void {
    this.#state = {
      walFileNumber: info.walFileNumber,
      nextFileId: Math.max(this.#state.nextFileId, info.nextFileId), // ids may have been taken meanwhile
      catalogSequence: info.catalogSequence,
      persistedRanges: info.persistedRanges ?? [],
      tablesAside: info.tablesAside ?? [],
    };
    this.index.apply(info);
    const everyInfo = this.#options.snapshotsPerSave === undefined && this.index.totals.fileCount <= SMALL_INDEX_FILES;
    const due = everyInfo ? 1 : (this.#options.snapshotsPerSave ?? SNAPSHOTS_PER_SAVE);
    if (info.sequence - this.#savedSequence >= due) void this.saveIndex();
  }

  /** Rewrites the index file. Never rejects: without it the next start reads more infos. */
  saveIndex(): Promise<void> {
    this.#saving ??= this.#saveIndex().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  /** Waits for a running rewrite, and writes once more when snapshots came since. */
  async close(): Promise<void> {
    await this.#saving;
    if (this.index.sequence > this.#savedSequence) await this.saveIndex();
    await this.#pruning.stop();
  }

  /** What an index file would hold now. */
  stored(): StoredFileIndex & { readonly state: IndexState } {
    const files: LiveFile[] = [];
    for (const table of this.index.tables()) for (const file of table.files) files.push(file);
    return { sequence: this.index.sequence, files, deletes: this.index.deletes(), state: this.#state };
  }

  /** Names of the side logs below `aside/` that an index tells of. */
  sideLogs({ state }: { readonly state: IndexState }): string[] {
    return state.tablesAside.flatMap(({ files }) => files);
  }

  async #saveIndex(): Promise<void> {
    const index = this.stored();
    try {
      if (this.#fence.reason !== undefined) return;
      const bytes = encodeFileIndex(index, this.#options.uuid);
      await this.#options.objects.put(INDEX_KEY, bytes, 'overwrite');
      if (this.#options.claim !== undefined) this.#pruning.look(index);
    } catch (error) {
      this.#options.log.warn('file index could not be written', { error: errorText(error) });
    }
    this.#savedSequence = index.sequence; // also after a failure: tried again after as many snapshots
  }
}

/** What `commit` may need besides the change. */
export interface CommitOptions {
  /** Waits before the next attempt; rejects when the server stops. */
  readonly pause: () => Promise<void>;
  readonly onVisible?: () => void;
}

/** Without those whose WAL files are gone or whose rows another range leaves out as well. */
function neededRanges(ranges: readonly PersistedRange[], walFileNumber: WalFileNumber): PersistedRange[] {
  const needed: PersistedRange[] = [];
  for (const range of ranges) {
    if (range.lastWalFileNumber <= walFileNumber) continue;
    if (needed.some((kept) => kept.lastWalFileNumber >= range.lastWalFileNumber && kept.endMarkerNs >= range.endMarkerNs)) continue;
    needed.push(range);
  }
  return needed;
}

/** Without those whose log files are gone, once their rows are in Parquet files. */
function aside(tables: readonly TableAside[], walFileNumber: WalFileNumber): Pick<SnapshotInfo, 'tablesAside'> {
  const needed = tables.filter(({ files, upToFileNumber }) => files.length > 0 || upToFileNumber > walFileNumber);
  return needed.length === 0 ? {} : { tablesAside: needed };
}
