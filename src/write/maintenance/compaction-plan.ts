import type { LiveFile } from '../file-index/file-index.ts';
import { type ChunkSpan, type FileLimits, fileGroups, isHourOver } from '../parquet/file-windows.ts';
import { chunksOf } from '../scan/index.ts';

export interface CompactionLimits extends FileLimits {
  readonly chunkDurationNs: bigint;
}

/** True = some rows of the file were deleted and can be left out for good. */
export type HasDeletes = (file: LiveFile) => boolean;

/** Files of one table that are to become one file. */
export interface CompactionJob {
  readonly files: readonly LiveFile[];
  /** Start of the first gen1 chunk. */
  readonly fromNs: bigint;
}

/** Files in one chunk of the newest hour that are worth merging before the hour is over. */
const OPEN_FILES_MIN = 4;

/** What overlaps is merged whatever its size, up to this: beyond it the sort would take too long. */
const OVERLAP_BYTES_MAX = 1024 ** 3;

/** Files that share chunks, all of them: nothing else reaches into `[fromNs, toNs)`. */
interface Unit extends ChunkSpan {
  readonly files: LiveFile[];
  toNs: bigint;
  bytes: number;
  rows: number;
}

/**
 * Which files of one table to merge. Files that share a chunk always belong together, so that the order of what is
 * merged and what is not stays clear. What is over is joined as `fileGroups` says.
 */
export function planCompaction(files: readonly LiveFile[], limits: CompactionLimits, hasDeletes: HasDeletes): CompactionJob[] {
  const allUnits = unitsOf(files, limits.chunkDurationNs);
  let newestNs: bigint | undefined;
  for (const { toNs } of allUnits) if (newestNs === undefined || toNs > newestNs) newestNs = toNs;
  if (newestNs === undefined) return [];
  const newestChunk = newestNs - limits.chunkDurationNs;
  const jobs: CompactionJob[] = [];
  for (const units of fileGroups(allUnits, newestChunk, limits)) {
    const [first] = units;
    if (first === undefined) continue;
    const inputs = units.flatMap((unit) => unit.files);
    const bytes = units.reduce((sum, unit) => sum + unit.bytes, 0);
    const enough = isHourOver(first, newestChunk) ? inputs.length > 1 : inputs.length >= OPEN_FILES_MIN;
    if ((enough || inputs.some(hasDeletes)) && bytes <= OVERLAP_BYTES_MAX) jobs.push({ files: inputs, fromNs: first.fromNs });
  }
  return jobs;
}

function unitsOf(files: readonly LiveFile[], chunkDurationNs: bigint): Unit[] {
  const spans = files.map((file) => ({ file, ...chunksOf(file, chunkDurationNs) }));
  spans.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const units: Unit[] = [];
  for (const { file, from, to } of spans) {
    const last = units.at(-1);
    if (last === undefined || from >= last.toNs) {
      units.push({ files: [file], fromNs: from, toNs: to, bytes: file.sizeBytes, rows: file.rowCount });
      continue;
    }
    last.files.push(file);
    if (to > last.toNs) last.toNs = to;
    last.bytes += file.sizeBytes;
    last.rows += file.rowCount;
  }
  return units;
}
