import type { DatabaseId, FileId, TableId, WalFileNumber } from '../../shared/ids.ts';

/**
 * Path of a Parquet file below the node's directory:
 * `dbs/<db id>/<table id>/<YYYY-MM-DD>/<HH-MM>/<10-digit WAL file number>.parquet`.
 * @param chunkTimeNs start of the gen1 chunk
 * @param walFileNumber last WAL file that the snapshot covers
 */
export function parquetFilePath(databaseId: DatabaseId, tableId: TableId, chunkTimeNs: bigint, walFileNumber: WalFileNumber): string {
  return `${chunkDirectory(databaseId, tableId, chunkTimeNs)}/${String(walFileNumber).padStart(10, '0')}.parquet`;
}

/** Path of a file that was merged from others: in the directory of its first chunk, named after its own file id. */
export function mergedFilePath(databaseId: DatabaseId, tableId: TableId, chunkTimeNs: bigint, fileId: FileId): string {
  return `${chunkDirectory(databaseId, tableId, chunkTimeNs)}/c${String(fileId).padStart(10, '0')}.parquet`;
}

function chunkDirectory(databaseId: DatabaseId, tableId: TableId, chunkTimeNs: bigint): string {
  const [date, time] = new Date(Number(chunkTimeNs / 1_000_000n)).toISOString().split('T') as [string, string];
  return `dbs/${databaseId}/${tableId}/${date}/${time.slice(0, 2)}-${time.slice(3, 5)}`;
}
