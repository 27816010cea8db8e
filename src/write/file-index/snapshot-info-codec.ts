import { crc32 } from 'node:zlib';
import type { DatabaseId, TableId } from '../../shared/ids.ts';
import { storedTag, type TableDelete } from '../deletes/row-delete.ts';
import { type JsonValue, parseJson, printJson } from './json.ts';
import type { ParquetFileInfo, PersistedRange, SnapshotInfo, TableAside } from './snapshot-info.ts';

const VERSION = '1';

/** Bounds of an empty set of times. */
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** The last member: CRC-32 of the text as it would be without this member. */
const CHECKSUM = /,\n {2}"checksum": (\d+)\n}$/;

/** JSON as InfluxDB 3 Core writes it, and some members of our own. All integers have all their digits. */
export function encodeSnapshotInfo(info: SnapshotInfo): Uint8Array {
  let minTimeNs = INT64_MAX;
  let maxTimeNs = INT64_MIN;
  let sizeBytes = 0;
  let rowCount = 0;
  for (const file of info.files) {
    if (file.minTimeNs < minTimeNs) minTimeNs = file.minTimeNs;
    if (file.maxTimeNs > maxTimeNs) maxTimeNs = file.maxTimeNs;
    sizeBytes += file.sizeBytes;
    rowCount += file.rowCount;
  }
  const text = printJson({
    version: VERSION,
    node_id: info.nodeId,
    writer: info.writer,
    next_file_id: info.nextFileId,
    snapshot_sequence_number: info.sequence,
    wal_file_sequence_number: info.walFileNumber,
    catalog_sequence_number: info.catalogSequence,
    parquet_size_bytes: sizeBytes,
    row_count: rowCount,
    min_time: minTimeNs,
    max_time: maxTimeNs,
    end_time_marker: info.endTimeMarkerNs,
    frozen_wal_file_number: info.frozenWalFileNumber,
    persisted_ranges: info.persistedRanges?.map((range) => [range.lastWalFileNumber, range.endMarkerNs]),
    tables_aside: info.tablesAside?.map(({ databaseId, tableId, upToFileNumber, files }) => [
      databaseId,
      tableId,
      upToFileNumber,
      [...files],
    ]),
    deletes: info.deletes?.map(({ databaseId, tableId, startNs, stopNs, tags }) => ({
      database_id: databaseId,
      table_id: tableId,
      start: startNs,
      stop: stopNs,
      tags: tags.map((tag) => [...storedTag(tag)]),
    })),
    databases: groupFiles(info.files),
    removed_files: groupFiles(info.removedFiles),
  });
  return Buffer.from(text.replace(/\n}$/, `,\n  "checksum": ${crc32(text)}\n}`));
}

/** The info is whole, and a later version of this program wrote it. */
export class LaterInfoError extends Error {}

/** Throws an `Error` that names the member which is missing or wrong; `LaterInfoError` for infos of later versions. */
export function decodeSnapshotInfo(bytes: Uint8Array): SnapshotInfo {
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  const info = asRecord(parseJson(text), 'snapshot info');
  checkChecksum(text, info);
  const version = info['version'];
  if (version !== VERSION) {
    const unsupported = `version ${JSON.stringify(version)} is not supported`;
    throw Number(version) > Number(VERSION) ? new LaterInfoError(unsupported) : new Error(unsupported);
  }
  return {
    nodeId: asText(info['node_id'] ?? info['writer_id'], 'node_id'),
    sequence: asCount(info, 'snapshot_sequence_number'),
    nextFileId: asCount(info, 'next_file_id'),
    walFileNumber: asCount(info, 'wal_file_sequence_number'),
    catalogSequence: asCount(info, 'catalog_sequence_number'),
    files: readGroups(info['databases'], 'databases'),
    removedFiles: readGroups(info['removed_files'] ?? [], 'removed_files'),
    endTimeMarkerNs: info['end_time_marker'] === undefined ? undefined : asInt64(info, 'end_time_marker'),
    frozenWalFileNumber: info['frozen_wal_file_number'] === undefined ? undefined : asCount(info, 'frozen_wal_file_number'),
    ...(info['persisted_ranges'] === undefined ? {} : { persistedRanges: readRanges(info['persisted_ranges']) }),
    ...(info['tables_aside'] === undefined ? {} : { tablesAside: readTablesAside(info['tables_aside']) }),
    ...(info['deletes'] === undefined ? {} : { deletes: readDeletes(info['deletes']) }),
  };
}

function readDeletes(value: unknown): TableDelete[] {
  return asArray(value, 'deletes').map((item) => {
    const deleted = asRecord(item, 'deletes');
    return {
      databaseId: asCount(deleted, 'database_id'),
      tableId: asCount(deleted, 'table_id'),
      startNs: asInt64(deleted, 'start'),
      stopNs: asInt64(deleted, 'stop'),
      tags: asArray(deleted['tags'], 'tags').map((pair) => {
        const [columnId, text, not] = asArray(pair, 'tags');
        return { columnId: asId(columnId, 'tags'), value: asText(text, 'tags'), not: not === true };
      }),
    };
  });
}

function readTablesAside(value: unknown): TableAside[] {
  return asArray(value, 'tables_aside').map((item) => {
    const [databaseId, tableId, upTo, files] = asArray(item, 'tables_aside');
    return {
      databaseId: asId(databaseId, 'tables_aside'),
      tableId: asId(tableId, 'tables_aside'),
      upToFileNumber: asId(upTo, 'tables_aside'),
      files: asArray(files, 'tables_aside').map((name) => asText(name, 'tables_aside')),
    };
  });
}

function readRanges(value: unknown): PersistedRange[] {
  return asArray(value, 'persisted_ranges').map((pair) => {
    const [wal, marker] = asArray(pair, 'persisted_ranges');
    const range = { wal, marker };
    return { lastWalFileNumber: asCount(range, 'wal'), endMarkerNs: asInt64(range, 'marker') };
  });
}

/** Infos without our own members come from elsewhere and have no checksum. */
function checkChecksum(text: string, info: Readonly<Record<string, unknown>>): void {
  const given = CHECKSUM.exec(text)?.[1];
  if (given === undefined && info['persisted_ranges'] === undefined && info['checksum'] === undefined) return;
  if (given === undefined || crc32(text.replace(CHECKSUM, '\n}')) !== Number(given)) throw new Error('checksum mismatch');
}

/** `[[db_id, {"tables": [[table_id, [file, ...]], ...]}], ...]` in the order of the first file of each. */
function groupFiles(files: readonly ParquetFileInfo[]): JsonValue {
  const databases = new Map<number, Map<number, JsonValue[]>>();
  for (const file of files) {
    const tables = databases.get(file.databaseId) ?? new Map<number, JsonValue[]>();
    databases.set(file.databaseId, tables);
    const list = tables.get(file.tableId) ?? [];
    tables.set(file.tableId, list);
    list.push({
      id: file.id,
      path: file.path,
      size_bytes: file.sizeBytes,
      row_count: file.rowCount,
      chunk_time: file.chunkTimeNs,
      min_time: file.minTimeNs,
      max_time: file.maxTimeNs,
      may_overlap: file.mayOverlap,
      data_sequence: file.dataSequence,
      crc32: file.crc32,
    });
  }
  return [...databases].map(([id, tables]) => [id, { tables: [...tables] }]);
}

function readGroups(value: unknown, name: string): ParquetFileInfo[] {
  const files: ParquetFileInfo[] = [];
  for (const database of asArray(value, name)) {
    const [databaseId, content] = asArray(database, name);
    for (const table of asArray(asRecord(content, name)['tables'], 'tables')) {
      const [tableId, list] = asArray(table, 'tables');
      for (const file of asArray(list, 'files')) files.push(readFile(file, asId(databaseId, name), asId(tableId, 'tables')));
    }
  }
  return files;
}

function readFile(value: unknown, databaseId: DatabaseId, tableId: TableId): ParquetFileInfo {
  const file = asRecord(value, 'file');
  return {
    databaseId,
    tableId,
    id: asCount(file, 'id'),
    path: asText(file['path'], 'path'),
    sizeBytes: asCount(file, 'size_bytes'),
    rowCount: asCount(file, 'row_count'),
    chunkTimeNs: asInt64(file, 'chunk_time'),
    minTimeNs: asInt64(file, 'min_time'),
    maxTimeNs: asInt64(file, 'max_time'),
    mayOverlap: file['may_overlap'] !== false, // unknown means yes
    ...(file['data_sequence'] === undefined ? {} : { dataSequence: asCount(file, 'data_sequence') }),
    ...(file['crc32'] === undefined ? {} : { crc32: asCount(file, 'crc32') }),
  };
}

function asRecord(value: unknown, name: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${name} is not an object`);
  return value as Record<string, unknown>;
}

function asArray(value: unknown, name: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`${name} is not an array`);
  return value;
}

function asText(value: unknown, name: string): string {
  if (typeof value !== 'string') throw new Error(`${name} is not a string`);
  return value;
}

function asId(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new Error(`${name} has an invalid id`);
  return value;
}

function asCount(record: Record<string, unknown>, name: string): number {
  const value = Number(record[name] ?? Number.NaN);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is not a count`);
  return value;
}

function asInt64(record: Record<string, unknown>, name: string): bigint {
  const value = record[name];
  const isInteger = typeof value === 'number' ? Number.isSafeInteger(value) : typeof value === 'string' && /^-?\d+$/.test(value);
  if (!isInteger) throw new Error(`${name} is not an integer`);
  const parsed = BigInt(value as number | string);
  if (parsed < INT64_MIN || parsed > INT64_MAX) throw new Error(`${name} is out of range`);
  return parsed;
}
