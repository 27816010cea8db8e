import { Counter, Gauge, type Registry } from '../../shared/prometheus.ts';
import type { TriggerFigures } from './trigger-figures.ts';

/** Figures of a trigger with its names. */
export interface NamedFigures {
  readonly database: string;
  readonly trigger: string;
  readonly figures: TriggerFigures;
}

type Labels = 'db' | 'trigger';

/** Registers the figures of every enabled trigger; they are read when somebody scrapes. */
export function registerTriggerMetrics(registry: Registry, triggers: () => Iterable<NamedFigures>): void {
  const labelNames: Labels[] = ['db', 'trigger'];
  const registers = [registry];
  const counter = (name: string, help: string, value: (figures: TriggerFigures) => number): void => {
    new Counter({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { database, figures, trigger } of triggers()) this.inc({ db: database, trigger }, value(figures));
      },
    });
  };
  const gauge = (name: string, help: string, value: (figures: TriggerFigures) => number): void => {
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const { database, figures, trigger } of triggers()) this.set({ db: database, trigger }, value(figures));
      },
    });
  };
  counter('influxdb3_trigger_runs_total', 'calls of plugins, retries included', ({ runs }) => runs);
  counter('influxdb3_trigger_errors_total', 'calls of plugins that failed', ({ errors }) => errors);
  counter('influxdb3_trigger_run_seconds_total', 'time of calls of plugins', ({ runMs }) => runMs / 1000);
  counter('influxdb3_trigger_batches_skipped_total', 'writes that were not delivered because too many waited', (all) => all.skippedBatches);
  counter('influxdb3_trigger_host_starts_total', 'processes or workers started for plugins', ({ hostStarts }) => hostStarts);
  gauge('influxdb3_trigger_queued', 'events that wait for a trigger', ({ queued }) => queued);
  gauge('influxdb3_trigger_queued_bytes', 'memory of writes that wait for a trigger', ({ queuedBytes }) => queuedBytes);
  gauge('influxdb3_trigger_running', 'calls of plugins that run', ({ running }) => running);
}
