import { chunkStart } from '../buffer/index.ts';
import type { LiveFile } from '../parquet/file-index.ts';
import { chunksOf } from '../scan/index.ts';

export interface CompactionLimits {
  readonly chunkDurationNs: bigint;
  /** A merged file is not made larger than this by joining neighbours. */
  readonly fileBytesMax: number;
  readonly fileRowsMax: number;
}

/** Values of one merge: it sorts all of them, and memory for more would be missed elsewhere. */
const MERGED_VALUES_MAX = 8_000_000;

/** The limits for a table with so many columns. */
export function limitsFor(columns: number, limits: CompactionLimits): CompactionLimits {
  return { ...limits, fileRowsMax: Math.min(limits.fileRowsMax, Math.floor(MERGED_VALUES_MAX / Math.max(1, columns))) };
}

/** True = some rows of the file were deleted and can be left out for good. */
export type HasDeletes = (file: LiveFile) => boolean;

/** Files of one table that are to become one file. */
export interface CompactionJob {
  readonly files: readonly LiveFile[];
  /** Start of the first gen1 chunk. */
  readonly fromNs: bigint;
}

const HOUR_NS = 3_600_000_000_000n;
const DAY_NS = 24n * HOUR_NS;

/** Files in one chunk of the newest hour that are worth merging before the hour is over. */
const OPEN_FILES_MIN = 4;

/** What overlaps is merged whatever its size, up to this: beyond it the sort would take too long. */
const OVERLAP_BYTES_MAX = 1024 ** 3;

/** Files that share chunks, all of them: nothing else reaches into `[fromNs, toNs)`. */
interface Unit {
  readonly files: LiveFile[];
  readonly fromNs: bigint;
  toNs: bigint;
  bytes: number;
  rows: number;
}

/**
 * Which files of one table to merge. Files that share a chunk always belong together, so that the order of what is
 * merged and what is not stays clear. An hour is merged when rows of a later hour are in files, a day when rows of a
 * later day are; neighbours are joined only as long as the result stays within the limits.
 */
export function planCompaction(files: readonly LiveFile[], limits: CompactionLimits, hasDeletes: HasDeletes): CompactionJob[] {
  const units = unitsOf(files, limits.chunkDurationNs);
  let newestNs: bigint | undefined;
  for (const { toNs } of units) if (newestNs === undefined || toNs > newestNs) newestNs = toNs;
  if (newestNs === undefined) return [];
  const newestChunk = newestNs - limits.chunkDurationNs;
  const jobs: CompactionJob[] = [];
  for (const window of windowsOf(units, newestChunk)) {
    const groups = window.closed
      ? joined(window.units, limits)
      : window.units.filter((unit) => unit.files.length >= OPEN_FILES_MIN || unit.files.some(hasDeletes));
    for (const { files: inputs, fromNs, bytes } of groups) {
      if ((inputs.length > 1 || inputs.some(hasDeletes)) && bytes <= OVERLAP_BYTES_MAX) jobs.push({ files: inputs, fromNs });
    }
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

/** Days that are over, and the hours of the newest day. */
function windowsOf(units: readonly Unit[], newestChunk: bigint): { closed: boolean; units: Unit[] }[] {
  const windows = new Map<string, { closed: boolean; units: Unit[] }>();
  for (const unit of units) {
    const dayEnd = chunkStart(unit.fromNs, DAY_NS) + DAY_NS;
    const lengthNs = dayEnd <= newestChunk ? DAY_NS : HOUR_NS;
    const start = chunkStart(unit.fromNs, lengthNs);
    const key = `${lengthNs} ${start}`;
    const window = windows.get(key) ?? { closed: start + lengthNs <= newestChunk, units: [] };
    windows.set(key, window);
    window.units.push(unit);
  }
  return [...windows.values()];
}

function joined(units: readonly Unit[], limits: CompactionLimits): Unit[] {
  const groups: Unit[] = [];
  for (const unit of units) {
    const last = groups.at(-1);
    if (last === undefined || last.bytes + unit.bytes > limits.fileBytesMax || last.rows + unit.rows > limits.fileRowsMax) {
      groups.push({ ...unit, files: [...unit.files] });
      continue;
    }
    last.files.push(...unit.files);
    last.toNs = unit.toNs;
    last.bytes += unit.bytes;
    last.rows += unit.rows;
  }
  return groups;
}
