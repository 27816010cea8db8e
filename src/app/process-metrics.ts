import { readdirSync, readFileSync, statfsSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import type { Registry } from '../shared/prometheus.ts';
import { readCounters, readGauges } from '../shared/read-metrics.ts';

/** Figures of the process and of the disk that its data lies on, read when somebody scrapes. `dataDirectory` = undefined: nothing is kept on disk. */
export function registerProcessMetrics(registry: Registry, dataDirectory: string | undefined): void {
  const gauge = readGauges(registry);
  const counter = readCounters(registry);
  gauge('process_resident_memory_bytes', 'resident memory of the process', () => process.memoryUsage.rss());
  gauge('nodejs_heap_size_used_bytes', 'memory of JavaScript objects', () => process.memoryUsage().heapUsed);
  gauge('nodejs_external_memory_bytes', 'memory outside of the heap that JavaScript objects hold', () => process.memoryUsage().external);
  counter('process_cpu_seconds_total', 'processor time of the process, user and system', () => {
    const { system, user } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  counter('nodejs_eventloop_active_seconds_total', 'time that the main thread worked; near one second a second it is what limits', () => {
    return performance.eventLoopUtilization().active / 1000;
  });
  if (process.platform === 'linux') {
    gauge('process_open_fds', 'open files and sockets of the process', () => readdirSync('/proc/self/fd').length);
    gauge('process_max_fds', 'open files and sockets that the process may have', openFilesMax);
  }
  if (dataDirectory === undefined) return;
  gauge('influxdb3_data_free_bytes', 'space that the server can use where its data lies', () => {
    const { bavail, bsize } = statfsSync(dataDirectory);
    return bavail * bsize;
  });
  gauge('influxdb3_data_capacity_bytes', 'size of the file system that the data lies on', () => {
    const { blocks, bsize } = statfsSync(dataDirectory);
    return blocks * bsize;
  });
}

/** The soft limit; infinite when there is none. */
function openFilesMax(): number {
  const limit = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}
