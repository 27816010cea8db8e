import { statfsSync } from 'node:fs';
import type { Registry } from '../shared/prometheus.ts';
import { readGauges } from './read-gauge.ts';

/** Figures of the process and of the disk that its data lies on, read when somebody scrapes. `dataDirectory` = undefined: nothing is kept on disk. */
export function registerProcessMetrics(registry: Registry, dataDirectory: string | undefined): void {
  const gauge = readGauges(registry);
  gauge('process_resident_memory_bytes', 'resident memory of the process', () => process.memoryUsage.rss());
  gauge('process_cpu_seconds_total', 'processor time of the process, user and system', () => {
    const { system, user } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  if (dataDirectory === undefined) return;
  gauge('influxdb3_data_free_bytes', 'space that the server can use where its data lies', () => {
    const { bavail, bsize } = statfsSync(dataDirectory);
    return bavail * bsize;
  });
}
