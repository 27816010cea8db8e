import { crc32 } from 'node:zlib';
import type { CatalogSequence, FileId, SnapshotSequence, WalFileNumber } from '../../shared/ids.ts';
import type { LiveDelete, LiveFile } from './file-index.ts';
import type { PersistedRange, TableAside } from './snapshot-info.ts';

/**
 * header: magic 8 · CRC-32 of all that follows it 4 · file count 4 · snapshot sequence 8 · catalog UUID 16
 * then one column after the other, each `count` long: chunk, min and max time (int64) · id, size, rows, snapshot (float64,
 * all integers below 2^53) · database, table, flags (1 = may overlap, 2 = has a checksum), CRC-32 of the file (uint32) · then the paths, one a
 * line, then a line of JSON: the deletes that the files may still hold rows of, and what the newest info says besides.
 * Columns lie in the file as they lie in memory. The index is only a faster way to what the snapshot infos say, so a
 * machine with the other byte order may find it damaged and build it anew.
 */
const HEADER_BYTES = 40;
const CHECKED_FROM = 12;
const MAGIC = Buffer.from('i3ts-ix3', 'latin1');

const BYTES_PER_FILE = 7 * 8 + 4 * 4;

const MAY_OVERLAP = 1;
const HAS_CHECKSUM = 2;

/** What the newest snapshot info says besides its files. */
export interface IndexState {
  readonly walFileNumber: WalFileNumber;
  readonly nextFileId: FileId;
  readonly catalogSequence: CatalogSequence;
  readonly persistedRanges: readonly PersistedRange[];
  readonly tablesAside: readonly TableAside[];
}

/** What an index file holds: the live files after one snapshot. */
export interface StoredFileIndex {
  /** Undefined in files of earlier versions. */
  readonly state?: IndexState | undefined;
  readonly sequence: SnapshotSequence;
  readonly files: readonly LiveFile[];
  readonly deletes: readonly LiveDelete[];
}

/**
 * Bytes of the file index: a header with checksum, the numbers of all files column by column, then paths and the rest as
 * lines of text.
 */
export function encodeFileIndex(index: StoredFileIndex, uuid: string): Uint8Array {
  const count = index.files.length;
  const paths = Buffer.from([...index.files.map((file) => file.path), encodeRest(index)].join('\n'));
  const bytes = Buffer.from(new ArrayBuffer(HEADER_BYTES + count * BYTES_PER_FILE + paths.byteLength));
  MAGIC.copy(bytes, 0);
  bytes.writeUInt32LE(count, 12);
  bytes.writeBigUInt64LE(BigInt(index.sequence), 16);
  bytes.write(uuid.replaceAll('-', ''), 24, 'hex');
  const columns = columnsOf(bytes, count);
  for (const [i, file] of index.files.entries()) {
    columns.chunkTimes[i] = file.chunkTimeNs;
    columns.minTimes[i] = file.minTimeNs;
    columns.maxTimes[i] = file.maxTimeNs;
    columns.ids[i] = file.id;
    columns.sizes[i] = file.sizeBytes;
    columns.rows[i] = file.rowCount;
    columns.snapshots[i] = file.snapshotSequence;
    columns.databases[i] = file.databaseId;
    columns.tables[i] = file.tableId;
    columns.flags[i] = (file.mayOverlap ? MAY_OVERLAP : 0) | (file.crc32 === undefined ? 0 : HAS_CHECKSUM);
    columns.checksums[i] = file.crc32 ?? 0;
  }
  paths.copy(bytes, HEADER_BYTES + count * BYTES_PER_FILE);
  bytes.writeUInt32LE(crc32(bytes.subarray(CHECKED_FROM)), 8);
  return bytes;
}

/** The index, or the reason why the bytes are none of this catalog. `input` must start at a multiple of 8 bytes. */
export function decodeFileIndex(input: Uint8Array, uuid: string): StoredFileIndex | string {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.byteLength);
  if (bytes.length < HEADER_BYTES) return 'file is shorter than its header';
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) return 'not a file index of this program';
  if (crc32(bytes.subarray(CHECKED_FROM)) !== bytes.readUInt32LE(8)) return 'checksum mismatch';
  if (bytes.toString('hex', 24, 40) !== uuid.replaceAll('-', '')) return 'file belongs to another catalog';
  const count = bytes.readUInt32LE(12);
  const pathsStart = HEADER_BYTES + count * BYTES_PER_FILE;
  if (bytes.length < pathsStart) return 'file is shorter than its header says';
  const paths = bytes.toString('utf8', pathsStart).split('\n');
  const rest = paths.pop() ?? '[]';
  if (paths.length !== count) return 'file has too few or too many paths';
  const sequence = Number(bytes.readBigUInt64LE(16));
  return { sequence, files: readFiles(columnsOf(bytes, count), paths), ...decodeRest(rest) };
}

function encodeRest({ deletes, state }: StoredFileIndex): string {
  return JSON.stringify({ deletes, state }, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}

/** As JSON has it, with integers of 64 bits as text. */
type Printed<T> = { readonly [K in keyof T]: T[K] extends bigint ? string : T[K] };

interface Rest {
  readonly deletes: readonly Printed<LiveDelete>[];
  readonly state?: Omit<IndexState, 'persistedRanges'> & { readonly persistedRanges: readonly Printed<PersistedRange>[] };
}

/** The checksum was right: the text is what `encodeRest` wrote, or the deletes alone as earlier versions wrote them. */
function decodeRest(text: string): Pick<StoredFileIndex, 'deletes' | 'state'> {
  const parsed = JSON.parse(text) as Rest | Rest['deletes'];
  const { deletes, state }: Rest = 'deletes' in parsed ? parsed : { deletes: parsed };
  return {
    deletes: deletes.map((deleted) => ({ ...deleted, startNs: BigInt(deleted.startNs), stopNs: BigInt(deleted.stopNs) })),
    ...(state === undefined ? {} : { state: { ...state, persistedRanges: state.persistedRanges.map(readRange) } }),
  };
}

function readRange({ endMarkerNs, lastWalFileNumber }: Printed<PersistedRange>): PersistedRange {
  return { lastWalFileNumber, endMarkerNs: BigInt(endMarkerNs) };
}

function readFiles(columns: Columns, paths: readonly string[]): LiveFile[] {
  return paths.map((path, i) => ({
    databaseId: columns.databases[i] ?? 0,
    tableId: columns.tables[i] ?? 0,
    id: columns.ids[i] ?? 0,
    path,
    sizeBytes: columns.sizes[i] ?? 0,
    rowCount: columns.rows[i] ?? 0,
    chunkTimeNs: columns.chunkTimes[i] ?? 0n,
    minTimeNs: columns.minTimes[i] ?? 0n,
    maxTimeNs: columns.maxTimes[i] ?? 0n,
    mayOverlap: ((columns.flags[i] ?? 0) & MAY_OVERLAP) !== 0,
    ...(((columns.flags[i] ?? 0) & HAS_CHECKSUM) === 0 ? {} : { crc32: columns.checksums[i] ?? 0 }),
    snapshotSequence: columns.snapshots[i] ?? 0,
  }));
}

type Columns = ReturnType<typeof columnsOf>;

/** Views on the columns inside the file's bytes. */
function columnsOf(bytes: Buffer, count: number) {
  let offset = bytes.byteOffset + HEADER_BYTES;
  const next = (bytesPerValue: number) => {
    const at = offset;
    offset += bytesPerValue * count;
    return at;
  };
  return {
    chunkTimes: new BigInt64Array(bytes.buffer, next(8), count),
    minTimes: new BigInt64Array(bytes.buffer, next(8), count),
    maxTimes: new BigInt64Array(bytes.buffer, next(8), count),
    ids: new Float64Array(bytes.buffer, next(8), count),
    sizes: new Float64Array(bytes.buffer, next(8), count),
    rows: new Float64Array(bytes.buffer, next(8), count),
    snapshots: new Float64Array(bytes.buffer, next(8), count),
    databases: new Uint32Array(bytes.buffer, next(4), count),
    tables: new Uint32Array(bytes.buffer, next(4), count),
    flags: new Uint32Array(bytes.buffer, next(4), count),
    checksums: new Uint32Array(bytes.buffer, next(4), count),
  };
}
