import { chunkStart, type GenerationMoment } from '../buffer/index.ts';
import type { ScanFile } from './table-scan.ts';

/** Whole gen1 chunks, ns since the epoch. */
export interface TimeRange {
  /** Inclusive. */
  readonly from: bigint;
  /** Exclusive. */
  readonly to: bigint;
}

/** Above this many separate ranges one wide range is cheaper to test. */
const RANGES_MAX = 64;

/**
 * Time ranges in which a key may occur twice, neighbours joined: chunks that two files reach into when one of them may
 * repeat keys, and buffered chunks that are marked.
 */
export function rangesToMerge(
  files: readonly ScanFile[],
  generations: readonly Pick<GenerationMoment, 'chunks'>[],
  dirtyChunks: ReadonlySet<bigint>,
  chunkDurationNs: bigint,
): TimeRange[] {
  const found: TimeRange[] = overlapsOf(files, chunkDurationNs);
  for (const chunk of dirtyChunks) {
    if (generations.some((generation) => generation.chunks.has(chunk))) found.push({ from: chunk, to: chunk + chunkDurationNs });
  }
  found.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const ranges: { from: bigint; to: bigint }[] = [];
  for (const { from, to } of found) {
    const last = ranges.at(-1);
    if (last === undefined || from > last.to) ranges.push({ from, to });
    else if (to > last.to) last.to = to;
  }
  return ranges.length > RANGES_MAX ? [{ from: (ranges[0] as TimeRange).from, to: (ranges.at(-1) as TimeRange).to }] : ranges;
}

/** The gen1 chunks that a file reaches into: one for files of snapshots, many for files that were merged. */
export function chunksOf(file: ScanFile, chunkDurationNs: bigint): TimeRange {
  return { from: chunkStart(file.minTimeNs, chunkDurationNs), to: chunkStart(file.maxTimeNs, chunkDurationNs) + chunkDurationNs };
}

function overlapsOf(files: readonly ScanFile[], chunkDurationNs: bigint): TimeRange[] {
  const spans = files.map((file) => ({ file, ...chunksOf(file, chunkDurationNs) }));
  spans.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const found: TimeRange[] = [];
  let open: typeof spans = [];
  for (const span of spans) {
    open = open.filter((earlier) => earlier.to > span.from);
    for (const earlier of open) {
      if (!span.file.mayOverlap && !earlier.file.mayOverlap) continue;
      found.push({ from: span.from, to: span.to < earlier.to ? span.to : earlier.to });
    }
    open.push(span);
  }
  return found;
}
