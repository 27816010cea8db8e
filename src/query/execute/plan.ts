import type { LaneName } from '../../scheduling/index.ts';
import type { TableSnapshot } from '../scan/sources.ts';
import type { CompiledSql } from '../sql/types/contract.ts';

/** A statement ready to run. */
export interface Plan {
  readonly sql: string;
  readonly partitions: number;
  readonly parquetFiles: number;
  /** Rows of the files and buffers. */
  readonly scannedRows: number;
  /** Idempotent. */
  readonly release: () => void;
}

/** Files that the plan reads and the time chunks that they are of. */
export function planSize(snapshots: Iterable<TableSnapshot>): { partitions: number; parquetFiles: number; scannedRows: number } {
  let partitions = 0;
  let scannedRows = 0;
  let parquetFiles = 0;
  for (const { buffer, files } of snapshots) {
    for (const { rowCount } of files) scannedRows += rowCount;
    for (const { rows } of buffer?.generations ?? []) scannedRows += rows;
    partitions += new Set(files.map((file) => file.chunkTimeNs)).size;
    parquetFiles += files.length;
  }
  return { partitions, parquetFiles, scannedRows };
}

/** Widest time bounds over all uses of each table. */
export function boundsPerTable(compiled: CompiledSql): Map<string, { min: bigint | undefined; max: bigint | undefined }> {
  const bounds = new Map<string, { min: bigint | undefined; max: bigint | undefined }>();
  for (const use of compiled.uses) {
    if (use.relation.schema !== 'iox') continue;
    const known = bounds.get(use.relation.name);
    if (known === undefined) {
      bounds.set(use.relation.name, { min: use.minTimeNs, max: use.maxTimeNs });
      continue;
    }
    known.min = known.min === undefined || use.minTimeNs === undefined ? undefined : known.min < use.minTimeNs ? known.min : use.minTimeNs;
    known.max = known.max === undefined || use.maxTimeNs === undefined ? undefined : known.max > use.maxTimeNs ? known.max : use.maxTimeNs;
  }
  return bounds;
}

/** Statements that read one table, and no more rows than this, are light until they prove otherwise. */
const LIGHT_SCAN_ROWS_MAX = 300_000;

/** Statements that read so many rows are heavy from the start, unless few of the rows may be all they need. */
const HEAVY_SCAN_ROWS_MIN = 20_000_000;

/** Where the statement begins to wait for its turn. */
export function laneOf({ small, uses }: CompiledSql, { scannedRows }: Plan): LaneName {
  if (uses.length === 1 && scannedRows <= LIGHT_SCAN_ROWS_MAX) return 'light';
  return scannedRows >= HEAVY_SCAN_ROWS_MIN && small !== true ? 'heavy' : 'short';
}
