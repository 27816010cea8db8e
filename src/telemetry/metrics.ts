import { Counter, type Registry } from '../shared/prometheus.ts';
import { readCounters, readGauges } from '../shared/read-metrics.ts';
import type { Telemetry } from './telemetry.ts';

/** Adds metrics about telemetry itself; values are read when somebody scrapes. */
export function registerTelemetryMetrics(registry: Registry, telemetry: Pick<Telemetry, 'status'>): void {
  const [gauge, counter] = [readGauges(registry), readCounters(registry)];
  gauge('influxdb3_telemetry_enabled', '1 when usage telemetry is on, 0 when it is off', () => (telemetry.status().state === 'on' ? 1 : 0));
  gauge(
    'influxdb3_telemetry_last_attempt_timestamp_seconds',
    'start of the latest usage report since unix epoch in seconds, 0 when there is none',
    () => Date.parse(telemetry.status().last_attempt?.time ?? '1970-01-01') / 1000,
  );
  new Counter({
    name: 'influxdb3_telemetry_reports_total',
    help: 'usage reports attempted since the server started',
    labelNames: ['result'],
    registers: [registry],
    collect() {
      const { attempts, attempts_failed } = telemetry.status();
      this.reset();
      this.inc({ result: 'answered' }, attempts - attempts_failed);
      this.inc({ result: 'failed' }, attempts_failed);
    },
  });
  counter('influxdb3_telemetry_sent_bytes_total', 'bytes of usage reports that were answered', () => telemetry.status().bytes_sent);
  counter('influxdb3_telemetry_samples_total', 'minutes rolled up for usage reports', () => telemetry.status().samples);
}
