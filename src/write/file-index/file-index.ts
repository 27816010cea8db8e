import type { DatabaseId, SnapshotSequence, TableId } from '../../shared/ids.ts';
import type { TableDelete } from '../deletes/row-delete.ts';
import type { ParquetFileInfo } from '../snapshot/index.ts';

/** A Parquet file that queries must read. */
export interface LiveFile extends ParquetFileInfo {
  /** Snapshot that its rows come from: of two files with the same row the one with the higher sequence wins. */
  readonly snapshotSequence: SnapshotSequence;
}

/** One atomic change: what a snapshot info lists. */
export interface FileIndexChange {
  readonly sequence: SnapshotSequence;
  readonly files: readonly ParquetFileInfo[];
  readonly removedFiles: readonly ParquetFileInfo[];
  readonly deletes?: readonly TableDelete[] | undefined;
}

/** A delete that some live files may still hold rows of. */
export interface LiveDelete extends TableDelete {
  /** Files with a lower snapshot sequence are older than the delete. */
  readonly sequence: SnapshotSequence;
}

/** Sums over all live files. Integers. */
export interface FileTotals {
  readonly fileCount: number;
  readonly sizeBytes: number;
  readonly rowCount: number;
}

interface TableFiles {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** By chunk time, then snapshot. Replaced, never changed: readers may keep it. */
  readonly files: readonly LiveFile[];
  readonly maxTimeNs: bigint;
  /** Most that a file's data reaches before or after its chunk time; bounds the search. */
  readonly reachBeforeNs: bigint;
  readonly reachAfterNs: bigint;
}

/** All live Parquet files of the node, in memory. Reading and changing are synchronous. */
export class FileIndex {
  readonly #tables = new Map<string, TableFiles>();
  readonly #deletes = new Map<string, readonly LiveDelete[]>();
  #sequence = 0;
  #fileCount = 0;
  #sizeBytes = 0;
  #rowCount = 0;

  /** Last snapshot that was applied. */
  get sequence(): number {
    return this.#sequence;
  }

  get totals(): FileTotals {
    return { fileCount: this.#fileCount, sizeBytes: this.#sizeBytes, rowCount: this.#rowCount };
  }

  /** Takes files out and puts files in, in one step. A file with a known path replaces the one of that path. */
  apply(change: FileIndexChange): void {
    const added = change.files.map((file): LiveFile => ({ ...file, snapshotSequence: file.dataSequence ?? change.sequence }));
    for (const deleted of change.deletes ?? []) {
      const key = keyOf(deleted.databaseId, deleted.tableId);
      this.#deletes.set(key, [...(this.#deletes.get(key) ?? []), { ...deleted, sequence: change.sequence }]);
    }
    this.#replace(change.removedFiles, added);
    this.#forgetDeletes();
    this.#sequence = Math.max(this.#sequence, change.sequence);
  }

  /** Fills an empty index with what was live after `sequence`. */
  restore(sequence: number, files: readonly LiveFile[], deletes: readonly LiveDelete[] = []): void {
    this.#replace([], files);
    for (const deleted of deletes) {
      const key = keyOf(deleted.databaseId, deleted.tableId);
      this.#deletes.set(key, [...(this.#deletes.get(key) ?? []), deleted]);
    }
    this.#forgetDeletes();
    this.#sequence = sequence;
  }

  /** Sequences up to this one are not used for changes. */
  skipTo(sequence: number): void {
    this.#sequence = Math.max(this.#sequence, sequence);
  }

  /** Files with rows from `minTimeNs` to `maxTimeNs` (both inclusive, undefined = unbounded), by chunk time, then snapshot. */
  filesFor(databaseId: DatabaseId, tableId: TableId, minTimeNs?: bigint, maxTimeNs?: bigint): readonly LiveFile[] {
    const table = this.#tables.get(keyOf(databaseId, tableId));
    if (table === undefined) return [];
    if (minTimeNs === undefined && maxTimeNs === undefined) return table.files;
    const start = minTimeNs === undefined ? 0 : firstFrom(table.files, minTimeNs - table.reachAfterNs);
    const found: LiveFile[] = [];
    for (let i = start; i < table.files.length; i++) {
      const file = table.files[i];
      if (file === undefined) break;
      if (maxTimeNs !== undefined && file.chunkTimeNs - table.reachBeforeNs > maxTimeNs) break;
      const overlaps = (minTimeNs === undefined || file.maxTimeNs >= minTimeNs) && (maxTimeNs === undefined || file.minTimeNs <= maxTimeNs);
      if (overlaps) found.push(file);
    }
    return found;
  }

  /** All deletes that a file may still hold rows of. */
  deletes(): LiveDelete[] {
    return [...this.#deletes.values()].flat();
  }

  /** Deletes that the rows of a file must be checked against; undefined = none. */
  deletesOf(file: LiveFile): readonly LiveDelete[] | undefined {
    const found = this.#deletes.get(keyOf(file.databaseId, file.tableId))?.filter((deleted) => concerns(deleted, file));
    return found === undefined || found.length === 0 ? undefined : found;
  }

  /** Highest id of a live file, -1 without any. */
  get maxFileId(): number {
    let max = -1;
    for (const table of this.#tables.values()) for (const file of table.files) if (file.id > max) max = file.id;
    return max;
  }

  /** Newest time in any file of the table. */
  maxTimeNs(databaseId: DatabaseId, tableId: TableId): bigint | undefined {
    return this.#tables.get(keyOf(databaseId, tableId))?.maxTimeNs;
  }

  /** Tables that have files. */
  *tables(): Generator<{ readonly databaseId: DatabaseId; readonly tableId: TableId; readonly files: readonly LiveFile[] }> {
    yield* this.#tables.values();
  }

  /** A delete is forgotten when no file has rows that it could mean. */
  #forgetDeletes(): void {
    for (const [key, deletes] of this.#deletes) {
      const files = this.#tables.get(key)?.files ?? [];
      const needed = deletes.filter((deleted) => files.some((file) => concerns(deleted, file)));
      if (needed.length === 0) this.#deletes.delete(key);
      else if (needed.length < deletes.length) this.#deletes.set(key, needed);
    }
  }

  #replace(removed: readonly ParquetFileInfo[], added: readonly LiveFile[]): void {
    const touched = new Map<string, { gone: Set<string>; fresh: LiveFile[] }>();
    const groupOf = (file: ParquetFileInfo) => {
      const key = keyOf(file.databaseId, file.tableId);
      const group = touched.get(key) ?? { gone: new Set<string>(), fresh: [] };
      touched.set(key, group);
      return group;
    };
    for (const file of removed) groupOf(file).gone.add(file.path);
    for (const file of added) {
      const group = groupOf(file);
      group.gone.add(file.path);
      group.fresh.push(file);
    }
    for (const [key, { gone, fresh }] of touched) this.#replaceInTable(key, gone, fresh);
  }

  #replaceInTable(key: string, gone: ReadonlySet<string>, fresh: readonly LiveFile[]): void {
    const before = this.#tables.get(key);
    const files: LiveFile[] = [];
    for (const file of before?.files ?? []) {
      if (gone.has(file.path)) this.#count(file, -1);
      else files.push(file);
    }
    const unchanged = before !== undefined && files.length === before.files.length;
    for (const file of fresh) this.#count(file, 1);
    insertSorted(files, fresh);
    const first = files[0];
    if (first === undefined) this.#tables.delete(key);
    else this.#tables.set(key, tableFiles(first, files, unchanged ? before : undefined, unchanged ? fresh : files));
  }

  #count(file: LiveFile, sign: 1 | -1): void {
    this.#fileCount += sign;
    this.#sizeBytes += sign * file.sizeBytes;
    this.#rowCount += sign * file.rowCount;
  }
}

function concerns(deleted: LiveDelete, file: LiveFile): boolean {
  return file.snapshotSequence < deleted.sequence && file.minTimeNs <= deleted.stopNs && file.maxTimeNs >= deleted.startNs;
}

function keyOf(databaseId: DatabaseId, tableId: TableId): string {
  return `${databaseId}/${tableId}`;
}

/** `before` = figures that still hold, so that only the `counted` files must be looked at. */
function tableFiles(first: LiveFile, files: readonly LiveFile[], before: TableFiles | undefined, counted: readonly LiveFile[]): TableFiles {
  let maxTimeNs = before?.maxTimeNs ?? first.maxTimeNs;
  let reachBeforeNs = before?.reachBeforeNs ?? 0n;
  let reachAfterNs = before?.reachAfterNs ?? 0n;
  for (const file of counted) {
    if (file.maxTimeNs > maxTimeNs) maxTimeNs = file.maxTimeNs;
    if (file.chunkTimeNs - file.minTimeNs > reachBeforeNs) reachBeforeNs = file.chunkTimeNs - file.minTimeNs;
    if (file.maxTimeNs - file.chunkTimeNs > reachAfterNs) reachAfterNs = file.maxTimeNs - file.chunkTimeNs;
  }
  return { databaseId: first.databaseId, tableId: first.tableId, files, maxTimeNs, reachBeforeNs, reachAfterNs };
}

/** Adds to a sorted list: one by one when they are few, as in every ordinary snapshot. */
function insertSorted(files: LiveFile[], fresh: readonly LiveFile[]): void {
  if (fresh.length > 8) {
    for (const file of fresh) files.push(file);
    files.sort(byChunkThenSnapshot);
    return;
  }
  for (const file of fresh) {
    let at = files.length;
    for (let low = 0; low < at; ) {
      const middle = (low + at) >>> 1;
      const other = files[middle];
      if (other !== undefined && byChunkThenSnapshot(other, file) <= 0) low = middle + 1;
      else at = middle;
    }
    files.splice(at, 0, file);
  }
}

function byChunkThenSnapshot(a: LiveFile, b: LiveFile): number {
  if (a.chunkTimeNs !== b.chunkTimeNs) return a.chunkTimeNs < b.chunkTimeNs ? -1 : 1;
  return a.snapshotSequence - b.snapshotSequence || a.id - b.id;
}

/** Index of the first file whose chunk time is not below `timeNs`. */
function firstFrom(files: readonly LiveFile[], timeNs: bigint): number {
  let low = 0;
  let high = files.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const file = files[middle];
    if (file !== undefined && file.chunkTimeNs < timeNs) low = middle + 1;
    else high = middle;
  }
  return low;
}
