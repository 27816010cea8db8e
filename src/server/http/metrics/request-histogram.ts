import type { Histogram, Registry } from '../../../shared/prometheus.ts';

/** Counts of one label set. */
export class HistogramCell {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: Float64Array;
  readonly #bounds: readonly number[];
  sum = 0;

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let at = 0;
    while (at < bounds.length && value > (bounds[at] as number)) at++;
    this.counts[at] = (this.counts[at] as number) + 1;
    this.sum += value;
  }
}

interface HistogramSettings {
  readonly name: string;
  readonly help: string;
  /** Ascending upper bounds. */
  readonly bounds: readonly number[];
}

/**
 * A histogram whose label sets are looked up by the one who counts. That of prom-client finds them by hashing all labels with
 * every value, which takes as long as parsing a small write. Reads the same on `/metrics`.
 */
export class CellHistogram {
  readonly name: string;
  readonly #settings: HistogramSettings;
  readonly #cells: HistogramCell[] = [];

  constructor(settings: HistogramSettings, registry: Registry) {
    this.name = settings.name;
    this.#settings = settings;
    // All that a registry needs of a metric is its name and `get`.
    registry.registerMetric(this as unknown as Histogram);
  }

  /** Adds a label set, in the order in which they are shown. */
  cell(labels: Readonly<Record<string, string>>): HistogramCell {
    const cell = new HistogramCell(labels, this.#settings.bounds);
    this.#cells.push(cell);
    return cell;
  }

  /** What the registry prints. */
  async get(): Promise<{ name: string; help: string; type: 'histogram'; aggregator: 'sum'; values: MetricValue[] }> {
    const { name, help } = this.#settings;
    return { name, help, type: 'histogram', aggregator: 'sum', values: this.#cells.flatMap((cell) => this.#values(cell)) };
  }

  #values({ counts, labels, sum }: HistogramCell): MetricValue[] {
    const { bounds, name } = this.#settings;
    const values: MetricValue[] = [];
    let total = 0;
    for (let i = 0; i <= bounds.length; i++) {
      total += counts[i] as number;
      values.push({ metricName: `${name}_bucket`, labels: { le: String(bounds[i] ?? '+Inf'), ...labels }, value: total });
    }
    values.push({ metricName: `${name}_sum`, labels: { ...labels }, value: sum });
    values.push({ metricName: `${name}_count`, labels: { ...labels }, value: total });
    return values;
  }
}

interface MetricValue {
  readonly metricName: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}
