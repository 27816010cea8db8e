import type { Clock } from '../shared/clock.ts';
import type { ProcessReading } from './store.ts';

/** Reads CPU and memory of this process. May reject; the minute then has no such sample. */
export type ProcessReader = () => Promise<ProcessReading>;

/** What pidusage tells: CPU time used since the process started (ms) and resident memory (bytes). */
export type ReadUsage = () => Promise<{ readonly ctime: number; readonly memory: number }>;

/**
 * A reader on top of pidusage. CPU is worked out here from two readings of CPU time and the monotonic clock, because
 * pidusage forgets its own history after a minute and means something else on macOS. First reading 0, never above
 * 100 percent x cores; children are not counted.
 */
export function createProcessReader(clock: Clock, cores: number, readUsage: ReadUsage = readOwnUsage): ProcessReader {
  let previous: { cpuMs: number; atMs: number } | undefined;
  return async () => {
    const usage = await readUsage();
    const atMs = clock.monotonicMs();
    const elapsedMs = previous === undefined ? 0 : atMs - previous.atMs;
    const usedMs = previous === undefined ? 0 : usage.ctime - previous.cpuMs;
    previous = { cpuMs: usage.ctime, atMs };
    const percent = elapsedMs > 0 ? (usedMs / elapsedMs) * 100 : 0;
    return { cpuPercent: Math.min(Math.max(0, percent), 100 * cores), rssBytes: usage.memory };
  };
}

/** Short, so that pidusage keeps no open file between two samples; long enough for its own double reading. */
const PIDUSAGE_MAXAGE_MS = 5000;

async function readOwnUsage(): Promise<{ ctime: number; memory: number }> {
  const { default: pidusage } = await import('pidusage');
  return pidusage(process.pid, { maxage: PIDUSAGE_MAXAGE_MS });
}
