import { availableParallelism } from 'node:os';
import type { QueryConfig } from '../config/index.ts';

/** Shares of memory that the parts of a server may use, bytes. */
export interface MemoryBudget {
  /** Limit of the engine: buffered rows, queries, its file cache. */
  readonly engineBytes: number;
  /** Buffered rows at which everything is persisted. */
  readonly forceSnapshotBytes: number;
}

/** Buffered rows beyond this only make restarts slow; a snapshot of this size takes a second or two. */
const BUFFER_BYTES_MAX = 512 * 1024 * 1024;

/** Splits what the options allow: the buffer lives inside the engine, so the engine gets both shares. */
export function memoryBudget(query: QueryConfig): MemoryBudget {
  const forceSnapshotBytes = Math.max(1, Math.min(query.forceSnapshotBytes, BUFFER_BYTES_MAX));
  return { engineBytes: query.memoryBytes + forceSnapshotBytes * 2, forceSnapshotBytes };
}

/** Engine threads: as configured, at least 1. */
export function engineThreads(query: QueryConfig): number {
  return Math.max(1, Math.min(query.threads, availableParallelism()));
}
