import { Counter, Gauge, type Registry } from './prometheus.ts';

/** Registers a metric without labels whose value is read when somebody scrapes. */
export type RegisterRead = (name: string, help: string, value: () => number) => void;

/** A way to register gauges whose values are read when somebody scrapes. */
export function readGauges(registry: Registry): RegisterRead {
  return (name, help, value) => {
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(value());
      },
    });
  };
}

/** The same for counters: numbers that begin at zero with the process and only grow. */
export function readCounters(registry: Registry): RegisterRead {
  return (name, help, value) => {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(value());
      },
    });
  };
}
