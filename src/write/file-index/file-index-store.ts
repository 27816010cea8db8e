import { join } from 'node:path';
import { atomicWrite, errorText, type FileSystem, type Log, removeTemporaryFiles, systemErrorCode } from '../../storage/index.ts';
import type { TableDelete } from '../deletes/row-delete.ts';
import { type ParquetFileInfo, type PersistedRange, type SnapshotInfo, SnapshotStore, type TableAside } from '../snapshot/index.ts';
import { FileIndex, type LiveDelete, type LiveFile } from './file-index.ts';
import { decodeFileIndex, encodeFileIndex, type StoredFileIndex } from './file-index-codec.ts';

/** Snapshots after which the index file is rewritten: a start reads at most about as many infos. */
const SNAPSHOTS_PER_SAVE = 50;

/** With no more files than this the index file is rewritten after every change: a second copy of what the infos say. */
const SMALL_INDEX_FILES = 2_000;

/** Infos before the end of the index file that are read all the same, for `persistedRanges`. */
const INFOS_LOOKED_BACK = 8;

/** One atomic change of the live files. */
export interface FileChange {
  readonly nodeId: string;
  readonly catalogSequence: number;
  /** Complete and durable on disk; ids come from `takeFileIds`. */
  readonly files: readonly ParquetFileInfo[];
  /** Live files; their paths are announced as pending. */
  readonly removedFiles: readonly ParquetFileInfo[];
  readonly deletes?: readonly TableDelete[];
  /** The new list; undefined = as it is. */
  readonly tablesAside?: readonly TableAside[];
  /** What a snapshot of the buffer covers; undefined for other changes. */
  readonly snapshot?: {
    readonly walFileNumber: number;
    readonly endTimeMarkerNs: bigint;
    readonly frozenWalFileNumber: number;
  };
}

export interface FileIndexStoreOptions {
  readonly fs: FileSystem;
  /** `<data-dir>/<node-id>`. */
  readonly root: string;
  /** Catalog UUID: an index file of another catalog is not used. */
  readonly uuid: string;
  readonly log: Log;
  readonly snapshotsPerSave?: number;
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
    return this.#ranges;
  }

  /** Tables whose rows a start does not take from the log, or not from all of it. */
  get tablesAside(): readonly TableAside[] {
    return this.#tablesAside;
  }

  /** Log files up to this one are not read by a start. */
  get walFileNumber(): number {
    return this.#walFileNumber;
  }

  /** Snapshot infos that could not be read and were renamed: files that only they listed are not served. */
  readonly movedAside: readonly string[];
  readonly #options: FileIndexStoreOptions;
  readonly #snapshots: SnapshotStore;
  readonly #path: string;
  #savedSequence: number;
  #ranges: readonly PersistedRange[];
  #tablesAside: readonly TableAside[];
  #walFileNumber: number;
  #nextFileId: number;
  #changing: Promise<unknown> = Promise.resolve();
  #saving: Promise<void> | undefined;

  /** Reads the index file and the infos after it; without a usable index file, all infos. */
  static async open(options: FileIndexStoreOptions): Promise<FileIndexStore> {
    const directory = join(options.root, 'files');
    await options.fs.mkdir(directory);
    await removeTemporaryFiles(options.fs, directory);
    const snapshots = new SnapshotStore(options.fs, options.root, options.log);
    const stored = await readStored(options, join(directory, 'index'));
    let loaded = await snapshots.load(Math.max(0, (stored?.sequence ?? 0) - INFOS_LOOKED_BACK));
    const movedAside = [...loaded.movedAside];
    // The info that the index ends with must still be there; else infos were lost and the index knows too much.
    // One that is there but damaged is no reason: the index is the better copy of it.
    const usable =
      stored !== undefined && (loaded.infos.some(({ sequence }) => sequence === stored.sequence) || loaded.corrupt.has(stored.sequence));
    if (stored !== undefined && !usable) {
      options.log.warn({ sequence: stored.sequence }, 'file index does not fit the snapshots and is built anew');
      loaded = await snapshots.load();
      movedAside.push(...loaded.movedAside);
    }
    const index = new FileIndex();
    const newest = loaded.infos[0];
    const known = usable ? stored : undefined;
    if (newest !== undefined || known !== undefined) {
      const sequence = Math.max(newest?.sequence ?? 0, known?.sequence ?? 0);
      index.restore(sequence, liveFiles(known, loaded.infos), liveDeletes(known, loaded.infos));
    }
    return new FileIndexStore(options, snapshots, { index, infos: loaded.infos, movedAside, saved: usable ? stored.sequence : 0 });
  }

  private constructor(
    options: FileIndexStoreOptions,
    snapshots: SnapshotStore,
    loaded: { index: FileIndex; infos: readonly SnapshotInfo[]; movedAside: readonly string[]; saved: number },
  ) {
    this.#options = options;
    this.#snapshots = snapshots;
    this.#path = join(options.root, 'files', 'index');
    this.index = loaded.index;
    this.newest = loaded.infos[0];
    this.#ranges = this.newest?.persistedRanges ?? persistedRanges(loaded.infos);
    this.#tablesAside = this.newest?.tablesAside ?? [];
    this.#walFileNumber = this.newest?.walFileNumber ?? 0;
    this.#nextFileId = Math.max(this.newest?.nextFileId ?? 0, loaded.index.maxFileId + 1);
    this.movedAside = loaded.movedAside;
    this.#savedSequence = loaded.saved;
  }

  /** Reserves file ids; returns the first. Ids that no change uses are given out again after a restart. */
  takeFileIds(count: number): number {
    const first = this.#nextFileId;
    this.#nextFileId += count;
    return first;
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
    for (let attempt = 1; ; attempt++) {
      try {
        await this.save(info);
        break;
      } catch (error) {
        if (attempt === 1) {
          this.#options.log.error({ error: errorText(error) }, 'writing the snapshot info failed; retrying every second');
        }
        await options.pause();
      }
    }
    this.#ranges = info.persistedRanges ?? [];
    this.#tablesAside = info.tablesAside ?? [];
    this.#walFileNumber = info.walFileNumber;
    this.publish(info);
    options.onVisible?.();
    return true;
  }

  #infoOf(change: FileChange): SnapshotInfo {
    const { snapshot } = change;
    const walFileNumber = snapshot?.walFileNumber ?? this.#walFileNumber;
    const added =
      snapshot === undefined ? [] : [{ lastWalFileNumber: snapshot.frozenWalFileNumber, endMarkerNs: snapshot.endTimeMarkerNs }];
    return {
      nodeId: change.nodeId,
      sequence: this.index.sequence + 1,
      nextFileId: this.#nextFileId,
      walFileNumber,
      catalogSequence: change.catalogSequence,
      files: change.files,
      removedFiles: change.removedFiles,
      deletes: change.deletes,
      endTimeMarkerNs: snapshot?.endTimeMarkerNs,
      frozenWalFileNumber: snapshot?.frozenWalFileNumber,
      persistedRanges: neededRanges([...added, ...this.#ranges], walFileNumber),
      ...aside(change.tablesAside ?? this.#tablesAside, walFileNumber),
    };
  }

  /**
   * Makes a snapshot's info durable. Its files are not served yet: that is `publish`, which the caller runs in the
   * same turn in which the rows leave the buffer.
   */
  save(info: SnapshotInfo): Promise<void> {
    return this.#snapshots.save(info);
  }

  /** Serves the files of a saved snapshot, and rewrites the index file in the background when it is time. */
  publish(info: SnapshotInfo): void {
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
  }

  async #saveIndex(): Promise<void> {
    const { sequence } = this.index;
    const files: LiveFile[] = [];
    for (const table of this.index.tables()) for (const file of table.files) files.push(file);
    try {
      await atomicWrite(
        this.#options.fs,
        this.#path,
        encodeFileIndex({ sequence, files, deletes: this.index.deletes() }, this.#options.uuid),
      );
    } catch (error) {
      this.#options.log.warn({ error: errorText(error) }, 'file index could not be written');
    }
    this.#savedSequence = sequence; // also after a failure: tried again after as many snapshots
  }
}

/** What `commit` may need besides the change. */
export interface CommitOptions {
  /** Waits before the next attempt; rejects when the server stops. */
  readonly pause: () => Promise<void>;
  readonly onVisible?: () => void;
}

/** Without those whose WAL files are gone or whose rows another range leaves out as well. */
function neededRanges(ranges: readonly PersistedRange[], walFileNumber: number): PersistedRange[] {
  const needed: PersistedRange[] = [];
  for (const range of ranges) {
    if (range.lastWalFileNumber <= walFileNumber) continue;
    if (needed.some((kept) => kept.lastWalFileNumber >= range.lastWalFileNumber && kept.endMarkerNs >= range.endMarkerNs)) continue;
    needed.push(range);
  }
  return needed;
}

/** Without those whose log files are gone, once their rows are in Parquet files. */
function aside(tables: readonly TableAside[], walFileNumber: number): Pick<SnapshotInfo, 'tablesAside'> {
  const needed = tables.filter(({ files, upToFileNumber }) => files.length > 0 || upToFileNumber > walFileNumber);
  return needed.length === 0 ? {} : { tablesAside: needed };
}

function persistedRanges(infos: readonly SnapshotInfo[]): PersistedRange[] {
  const covered = infos[0]?.walFileNumber ?? 0;
  const ranges: PersistedRange[] = [];
  for (const { frozenWalFileNumber, endTimeMarkerNs } of infos) {
    if (frozenWalFileNumber === undefined || endTimeMarkerNs === undefined || frozenWalFileNumber <= covered) continue;
    ranges.push({ lastWalFileNumber: frozenWalFileNumber, endMarkerNs: endTimeMarkerNs });
  }
  return ranges;
}

/** Replays infos (newest first) over what the index file held. */
function liveFiles(stored: StoredFileIndex | undefined, infos: readonly SnapshotInfo[]): LiveFile[] {
  const live = new Map<string, LiveFile>();
  for (const file of stored?.files ?? []) live.set(file.path, file);
  for (const info of infos.toReversed()) {
    if (stored !== undefined && info.sequence <= stored.sequence) continue;
    for (const file of info.removedFiles) live.delete(file.path);
    for (const file of info.files) live.set(file.path, { ...file, snapshotSequence: file.dataSequence ?? info.sequence });
  }
  return [...live.values()];
}

/** May hold some that no file needs; the index forgets those. */
function liveDeletes(stored: StoredFileIndex | undefined, infos: readonly SnapshotInfo[]): LiveDelete[] {
  const deletes: LiveDelete[] = [...(stored?.deletes ?? [])];
  for (const info of infos.toReversed()) {
    if (stored !== undefined && info.sequence <= stored.sequence) continue;
    for (const deleted of info.deletes ?? []) deletes.push({ ...deleted, sequence: info.sequence });
  }
  return deletes;
}

async function readStored(options: FileIndexStoreOptions, path: string): Promise<StoredFileIndex | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await options.fs.readFile(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    options.log.warn({ error: errorText(error) }, 'file index cannot be read and is built anew');
    return undefined;
  }
  const stored = decodeFileIndex(bytes, options.uuid);
  if (typeof stored !== 'string') return stored;
  options.log.warn({ reason: stored }, 'file index cannot be used and is built anew');
  return undefined;
}
