import type { TableSchema } from '../../catalog/schema.ts';
import type { WalFileNumber } from '../../shared/ids.ts';
import type { BufferMoment, GenerationMoment } from '../buffer/index.ts';
import { parquetFilePath } from '../file-index/file-path.ts';
import { type ChunkSpan, fileGroups, limitsFor } from '../parquet/file-windows.ts';

/** A file that a snapshot is to write. */
export interface PlannedFile {
  /** Gen1 chunks whose rows it holds, ascending; several = none of them can hold a key twice. */
  readonly chunks: readonly bigint[];
  /** Start of the first chunk, ns. */
  readonly fromNs: bigint;
  /** End of the last chunk (exclusive), ns. */
  readonly toNs: bigint;
  readonly rows: number;
  /** Below the node's directory. */
  readonly path: string;
}

/** What of a generation the plan needs. */
export type GenerationRows = Pick<GenerationMoment, 'rows' | 'bytes' | 'chunks'>;

/** What the files of a snapshot depend on. */
export interface FilePlanOptions {
  readonly chunkDurationNs: bigint;
  /** Chunks that start before this are written. */
  readonly endMarkerNs: bigint;
  /** Number in the names of the files. */
  readonly walFileNumber: WalFileNumber;
}

/** Buffered bytes that are sorted at once; with texts they may be far more than their number suggests. */
const FILE_BUFFERED_BYTES_MAX = 64 * 1024 * 1024;

/**
 * The files that the sealed rows of a table become: one a chunk, but chunks of hours and days that are over share one as
 * compaction would make it, so that a load of old data is written once. Chunks in which a key may occur twice stay alone.
 */
export function plannedFiles(
  table: TableSchema,
  generations: readonly GenerationRows[],
  dirtyChunks: BufferMoment['dirtyChunks'],
  options: FilePlanOptions,
): PlannedFile[] {
  const spans = chunkSpans(generations, options.chunkDurationNs);
  const newestChunk = spans.at(-1)?.fromNs;
  if (newestChunk === undefined) return [];
  const limits = limitsFor(table.columns.length, { fileBytesMax: FILE_BUFFERED_BYTES_MAX, fileRowsMax: Number.POSITIVE_INFINITY });
  const files: PlannedFile[] = [];
  const add = (group: readonly ChunkSpan[]): void => {
    const { fromNs } = group[0] as ChunkSpan;
    files.push({
      chunks: group.map((span) => span.fromNs),
      fromNs,
      toNs: (group.at(-1) as ChunkSpan).toNs,
      rows: group.reduce((sum, span) => sum + span.rows, 0),
      path: parquetFilePath(table.databaseId, table.id, fromNs, options.walFileNumber),
    });
  };
  let clean: ChunkSpan[] = [];
  const addClean = (): void => {
    for (const group of fileGroups(clean, newestChunk, limits)) add(group);
    clean = [];
  };
  for (const span of spans) {
    if (span.fromNs >= options.endMarkerNs) break;
    if (dirtyChunks.has(span.fromNs)) {
      addClean();
      add([span]);
    } else clean.push(span);
  }
  addClean();
  return files;
}

/** The chunks of all generations, ascending. */
function chunkSpans(generations: readonly GenerationRows[], chunkDurationNs: bigint): ChunkSpan[] {
  const sums = new Map<bigint, { rows: number; bytes: number }>();
  for (const generation of generations) {
    const bytesPerRow = generation.bytes / generation.rows;
    for (const [start, { rows }] of generation.chunks) {
      const known = sums.get(start) ?? { rows: 0, bytes: 0 };
      sums.set(start, { rows: known.rows + rows, bytes: known.bytes + rows * bytesPerRow });
    }
  }
  return [...sums]
    .map(([fromNs, { rows, bytes }]) => ({ fromNs, toNs: fromNs + chunkDurationNs, rows, bytes }))
    .sort((a, b) => (a.fromNs < b.fromNs ? -1 : 1));
}
