import { Gauge, type Registry } from '../shared/prometheus.ts';

/** A way to register gauges whose values are read when somebody scrapes. */
export function readGauges(registry: Registry): (name: string, help: string, value: () => number) => void {
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
