import { Counter, type Registry } from '../shared/prometheus.ts';
import type { WriteOutcome } from './write-service.ts';

/** Writes to one database. */
interface WriteSums {
  lines: number;
  rejectedLines: number;
  bytes: number;
}

/** Metrics of stored writes by database. Sums are kept here and handed to prom-client when somebody reads the metrics. */
export class WriteMetrics {
  readonly #writes = new Map<string, WriteSums>();

  constructor(registry: Registry) {
    this.#perDatabase('influxdb3_write_lines_total', 'track total number of lines written to the database', registry, 'lines');
    this.#perDatabase('influxdb3_write_lines_rejected_total', 'track total number of rejected lines', registry, 'rejectedLines');
    this.#perDatabase('influxdb3_write_bytes_total', 'track total number of bytes written to the database', registry, 'bytes');
  }

  stored(database: string, { acceptedLines, acceptedBytes, lineErrors }: WriteOutcome): void {
    let sums = this.#writes.get(database);
    if (sums === undefined) {
      sums = { lines: 0, rejectedLines: 0, bytes: 0 };
      this.#writes.set(database, sums);
    }
    sums.lines += acceptedLines;
    sums.bytes += acceptedBytes;
    sums.rejectedLines += lineErrors.length;
  }

  #perDatabase(name: string, help: string, registry: Registry, what: keyof WriteSums): void {
    const writes = this.#writes;
    new Counter({
      name,
      help,
      labelNames: ['db'],
      registers: [registry],
      collect() {
        this.reset();
        for (const [db, sums] of writes) if (what !== 'rejectedLines' || sums[what] > 0) this.inc({ db }, sums[what]);
      },
    });
  }
}
