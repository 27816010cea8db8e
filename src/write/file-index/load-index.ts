import { type Log, silentLogger } from '../../shared/logger.ts';
import { errorText, type ObjectStore, ObjectStoreError, StorageStartupError } from '../../storage/index.ts';
import { FileIndex, type LiveDelete, type LiveFile } from './file-index.ts';
import { decodeFileIndex, type IndexState, type StoredFileIndex } from './file-index-codec.ts';
import { indexCheckpoints } from './info-pruning.ts';
import type { PersistedRange, SnapshotInfo } from './snapshot-info.ts';
import { type Damaged, type LoadedSnapshots, SnapshotStore, snapshotKey } from './snapshot-store.ts';

/** The index file. */
export const INDEX_KEY = 'files/index';

/** Infos before the end of the index file that are read all the same, for `persistedRanges`. */
const INFOS_LOOKED_BACK = 8;

export interface LoadIndexOptions {
  readonly objects: ObjectStore;
  /** Catalog UUID: an index file of another catalog is not used. */
  readonly uuid: string;
  readonly log: Log;
  /** A snapshot info that is lost stops the start. */
  readonly failOnError?: boolean;
  /** Other processes can reach the store: numbers that are taken stay so, and infos that the index file stands for are not listed. */
  readonly shared?: boolean;
}

/** A snapshot info that is not there, or cannot be read, and that the index file does not stand for. */
export interface LostInfo {
  readonly path: string;
  readonly reason: string;
}

/** What index file and snapshot infos say together. */
export interface LoadedIndex {
  readonly index: FileIndex;
  readonly snapshots: SnapshotStore;
  readonly newest: SnapshotInfo | undefined;
  /** Of the newest change, by info or index file. */
  readonly state: IndexState;
  /** Up to here the index file is written. */
  readonly savedSequence: number;
  /** Of the newest checkpoint, whether it can be read or not: infos before it may be deleted; 0 = there is none. */
  readonly checkpointSequence: number;
  /** Infos that could not be read and were renamed. */
  readonly movedAside: readonly string[];
  readonly lost: readonly LostInfo[];
}

/** Reads the index file and the infos after it; without a usable index file, all infos. Throws `StorageStartupError`. */
export async function loadIndex(options: LoadIndexOptions): Promise<LoadedIndex> {
  await options.objects.prepare('files/');
  const snapshots = new SnapshotStore(options.objects, options.log);
  const checkpoints = indexCheckpoints(options.objects, options.uuid, options.log);
  const written = await checkpoints.sequences();
  const stored = newerOf(await checkpoints.newest(written), await readStored(options));
  const checkpointSequence = written[0] ?? 0;
  const keepDamaged = options.failOnError === true || options.shared === true;
  let loaded = await snapshots.load(Math.max(0, (stored?.sequence ?? 0) - INFOS_LOOKED_BACK), keepDamaged, options.shared !== true);
  const movedAside = [...loaded.movedAside];
  // An index file of an earlier version cannot stand for the info that it ends with, unless that is there or damaged.
  const usable =
    stored !== undefined &&
    (stored.state !== undefined ||
      loaded.infos.some(({ sequence }) => sequence === stored.sequence) ||
      loaded.corrupt.has(stored.sequence));
  if (stored !== undefined && !usable) {
    options.log.warn('file index does not fit the snapshots and is built anew', { sequence: stored.sequence });
    loaded = await snapshots.load(0, keepDamaged);
    movedAside.push(...loaded.movedAside);
  }
  const known = usable ? stored : undefined;
  const lost = lostInfos(options, loaded, {
    from: known?.sequence ?? 0,
    to: stored?.sequence ?? 0,
    pruned: checkpointSequence,
    movedAside,
  });
  const index = new FileIndex();
  const newest = loaded.infos[0];
  if (newest !== undefined || known !== undefined) {
    const sequence = Math.max(newest?.sequence ?? 0, known?.sequence ?? 0);
    index.restore(sequence, liveFiles(known, loaded.infos), liveDeletes(known, loaded.infos));
  }
  if (options.shared === true) index.skipTo(Math.max(0, ...loaded.corrupt));
  const state = (known?.sequence ?? 0) > (newest?.sequence ?? 0) && known?.state !== undefined ? known.state : stateOf(loaded.infos);
  const savedSequence = known?.sequence ?? 0;
  return { index, snapshots, newest, state, savedSequence, checkpointSequence, movedAside: movedAside.map(({ movedTo }) => movedTo), lost };
}

/** The newest catalog change that snapshot infos or index file know: a catalog that ends before it has lost changes. */
export async function knownCatalogSequence(options: Pick<LoadIndexOptions, 'objects'>): Promise<number> {
  const newest = await new SnapshotStore(options.objects, silentLogger).newestReadable();
  return newest?.catalogSequence ?? 0;
}

/**
 * Infos count without gaps: one that is not there was lost. Up to where the index file reaches nothing is lost with it,
 * but the second copy is.
 */
function lostInfos(
  { failOnError, log, objects, shared }: LoadIndexOptions,
  loaded: LoadedSnapshots,
  {
    from,
    movedAside,
    pruned,
    to,
  }: { readonly from: number; readonly to: number; readonly pruned: number; readonly movedAside: readonly Damaged[] },
): LostInfo[] {
  const newest = Math.max(to, loaded.infos[0]?.sequence ?? 0, ...loaded.corrupt);
  let spared = 0;
  const lost: LostInfo[] = [];
  for (let sequence = shared === true ? from + 1 : pruned + 1; sequence <= newest; sequence++) {
    const path = objects.locate(snapshotKey(sequence));
    const damaged = movedAside.some((moved) => moved.sequence === sequence);
    if (loaded.sequences.has(sequence) || (loaded.corrupt.has(sequence) && !damaged)) continue;
    if (sequence <= from) spared++;
    else lost.push({ path, reason: damaged ? 'file is damaged' : 'file is missing' });
  }
  if (spared > 0) log.warn('snapshot infos are missing or damaged; the file index has what they said', { count: spared });
  for (const { path, reason } of lost) {
    if (failOnError === true) {
      const message = `snapshot info '${path}' cannot be used: ${reason}; start without --wal-replay-fail-on-error to go on without the Parquet files that only it lists`;
      throw new StorageStartupError('SNAPSHOT_CORRUPT', message);
    }
    log.error('a snapshot info is lost: Parquet files that only it lists are not served', { path, reason });
  }
  return lost;
}

/** What the newest of all infos says. */
function stateOf(infos: readonly SnapshotInfo[]): IndexState {
  const [newest] = infos;
  return {
    walFileNumber: newest?.walFileNumber ?? 0,
    nextFileId: newest?.nextFileId ?? 0,
    catalogSequence: newest?.catalogSequence ?? 0,
    persistedRanges: newest?.persistedRanges ?? persistedRanges(infos),
    tablesAside: newest?.tablesAside ?? [],
  };
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

function newerOf(a: StoredFileIndex | undefined, b: StoredFileIndex | undefined): StoredFileIndex | undefined {
  return a === undefined || (b?.sequence ?? 0) >= a.sequence ? (b ?? a) : a;
}

async function readStored(options: LoadIndexOptions): Promise<StoredFileIndex | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await options.objects.get(INDEX_KEY);
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return undefined;
    options.log.warn('file index cannot be read and is built anew', { error: errorText(error) });
    return undefined;
  }
  const stored = decodeFileIndex(bytes, options.uuid);
  if (typeof stored !== 'string') return stored;
  options.log.warn('file index cannot be used and is built anew', { reason: stored });
  return undefined;
}
