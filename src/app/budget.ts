import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { QueryConfig } from '../config/index.ts';

/** Shares of memory that the parts of a server may use, bytes. */
export interface MemoryBudget {
  /** Limit of DuckDB: buffered rows, queries, its file cache. */
  readonly engineBytes: number;
  /** Buffered rows at which everything is persisted in any case; less is enough when that makes files of some size. */
  readonly forceSnapshotBytes: number;
}

/** Buffered rows beyond this only make restarts slow, however small the files of a snapshot would be. */
const BUFFER_BYTES_MAX = 256 * 1024 * 1024;

/** The buffer's share of all memory: it exists twice while a snapshot runs. */
const BUFFER_SHARE = 1 / 8;

/** The process is in danger beyond this share of all memory. */
const PROCESS_SHARE = 0.9;

/** DuckDB takes at most this share of what other programs leave free. */
const AVAILABLE_SHARE = 0.8;

/** Splits what the options allow: the buffer lives inside DuckDB, so DuckDB gets both shares. */
export function memoryBudget(query: QueryConfig, totalBytes: number): MemoryBudget {
  const forceSnapshotBytes = Math.max(1, Math.min(query.forceSnapshotBytes, BUFFER_BYTES_MAX, Math.floor(totalBytes * BUFFER_SHARE)));
  return { engineBytes: query.memoryBytes + forceSnapshotBytes * 2, forceSnapshotBytes };
}

/** Columns in memory beyond this help only queries that DuckDB answers faster anyway. */
const COLUMN_CACHE_BYTES_MAX = 256 * 1024 * 1024;

/** Bytes of columns that queries may keep in memory; 0 = none. */
export function columnCacheBytes(query: QueryConfig, totalBytes: number): number {
  return Math.min(query.columnCacheBytes, COLUMN_CACHE_BYTES_MAX, Math.floor(totalBytes * BUFFER_SHARE));
}

/** Memory that this process may use at most: its control group's limit, or what the machine has. */
export function totalMemoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** Memory of this process at which queries are ended, so that the system need not end the process. */
export function processMemoryMax(): number {
  return Math.floor(totalMemoryBytes() * PROCESS_SHARE);
}

/** DuckDB's limit on the machine as it is now: never more than what is free, whatever the options say. */
export async function engineMemoryBytes(budget: MemoryBudget): Promise<number> {
  return Math.min(budget.engineBytes, Math.floor((await freeMemoryBytes()) * AVAILABLE_SHARE));
}

/** Engine threads: as configured, at least 1. */
export function engineThreads(query: QueryConfig): number {
  return Math.max(1, Math.min(query.threads, availableParallelism()));
}

/** On Linux Node.js knows, control groups included; elsewhere it counts what caches could give back as used. */
async function freeMemoryBytes(): Promise<number> {
  if (process.platform === 'linux') return process.availableMemory();
  const { mem } = (await import('systeminformation')).default;
  return (await mem()).available;
}

/**
 * Memory of this process now, bytes. Queries under way are watched with it. On Linux it comes from another file of /proc than
 * the one that telemetry reads: system calls then show that telemetry which is off reads nothing.
 */
export function residentBytes(): number {
  const found = process.platform === 'linux' ? /^VmRSS:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1')) : null;
  return found === null ? process.memoryUsage.rss() : Number(found[1]) * 1024;
}

/** Memory of JavaScript in this process: its heap, and buffers outside of it, bytes. Asks the system nothing. */
export function scriptBytes(): number {
  const { total_physical_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
