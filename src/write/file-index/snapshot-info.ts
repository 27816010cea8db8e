import type { CatalogSequence, DatabaseId, FileId, SnapshotSequence, TableId, WalFileNumber } from '../../shared/ids.ts';
import type { TableDelete } from '../deletes/row-delete.ts';

/** One Parquet file as snapshot infos list it. */
export interface ParquetFileInfo {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** Unique on this node. */
  readonly id: FileId;
  /** Object path from `<node-id>/` on; names the file for good. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly rowCount: number;
  /** Start of its gen1 chunk, ns since the epoch, as all times here. */
  readonly chunkTimeNs: bigint;
  readonly minTimeNs: bigint;
  readonly maxTimeNs: bigint;
  /** It may hold a series and time that another file of its chunk holds too. */
  readonly mayOverlap: boolean;
  /**
   * Last snapshot whose rows the file holds, when that is not the one that lists it: a merged file is as new as what it
   * was made from. Of two files with the same row the one with the higher number wins.
   */
  readonly dataSequence?: number | undefined;
  /** CRC-32 of the whole file; undefined = written before files had one. */
  readonly crc32?: number | undefined;
}

/** Rows that a snapshot persisted although their WAL files are still replayed. */
export interface PersistedRange {
  /** Newest WAL file with rows in the persisted chunks. */
  readonly lastWalFileNumber: WalFileNumber;
  /** Chunks that start below it were persisted. */
  readonly endMarkerNs: bigint;
}

/** Rows of one table that a start takes from somewhere else than the log. */
export interface TableAside {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
  /** The table's records in log files up to this one are not replayed. */
  readonly upToFileNumber: WalFileNumber;
  /** Names of the files below `aside/` that hold these records instead, in order; none = the rows are in Parquet files. */
  readonly files: readonly string[];
}

/** What one snapshot changed. */
export interface SnapshotInfo {
  readonly nodeId: string;
  /** Random name of the process that wrote it, so that no two write the same bytes. Not read back. */
  readonly writer?: string | undefined;
  readonly sequence: SnapshotSequence;
  /** First file id that is free. */
  readonly nextFileId: FileId;
  /** Last WAL file that need not be replayed any more. */
  readonly walFileNumber: WalFileNumber;
  readonly catalogSequence: CatalogSequence;
  readonly files: readonly ParquetFileInfo[];
  readonly removedFiles: readonly ParquetFileInfo[];
  /** Chunks that start below it were persisted. */
  readonly endTimeMarkerNs: bigint | undefined;
  /** Newest WAL file with rows in the persisted chunks. */
  readonly frozenWalFileNumber: WalFileNumber | undefined;
  /** Deletes of rows that older files may hold. */
  readonly deletes?: readonly TableDelete[] | undefined;
  /** All tables that replay must treat in their own way from this change on. */
  readonly tablesAside?: readonly TableAside[] | undefined;
  /** All ranges that replay must leave out from this snapshot on. Undefined = read them from the snapshots before. */
  readonly persistedRanges?: readonly PersistedRange[] | undefined;
}
