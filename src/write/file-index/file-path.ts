/**
 * Path of a Parquet file below the node's directory:
 * `dbs/<db id>/<table id>/<YYYY-MM-DD>/<HH-MM>/<10-digit WAL file number>.parquet`.
 * @param chunkTimeNs start of the gen1 chunk
 * @param walFileNumber last WAL file that the snapshot covers
 */
export function parquetFilePath(databaseId: number, tableId: number, chunkTimeNs: bigint, walFileNumber: number): string {
  return `${chunkDirectory(databaseId, tableId, chunkTimeNs)}/${String(walFileNumber).padStart(10, '0')}.parquet`;
}

/** Path of a file that was merged from others: in the directory of its first chunk, named after its own file id. */
export function mergedFilePath(databaseId: number, tableId: number, chunkTimeNs: bigint, fileId: number): string {
  return `${chunkDirectory(databaseId, tableId, chunkTimeNs)}/c${String(fileId).padStart(10, '0')}.parquet`;
}

function chunkDirectory(databaseId: number, tableId: number, chunkTimeNs: bigint): string {
  const [date, time] = new Date(Number(chunkTimeNs / 1_000_000n)).toISOString().split('T') as [string, string];
  return `dbs/${databaseId}/${tableId}/${date}/${time.slice(0, 2)}-${time.slice(3, 5)}`;
}
