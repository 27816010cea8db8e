/** One line of the result: what was measured, and a number per server. */
export interface Measure {
  readonly section: string;
  readonly name: string;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  /** By server; several rounds, of which the table shows the median. */
  readonly values: Map<string, number[]>;
  /** By server: false = its answer differs from ours. */
  readonly agrees: Map<string, boolean>;
}

/** Collects numbers and prints them as markdown tables with ratios to our own. */
export class Report {
  readonly #ours: string;
  readonly #measures = new Map<string, Measure>();

  /** @param ours name of the server that the others are compared with */
  constructor(ours: string) {
    this.#ours = ours;
  }

  measure(section: string, name: string, unit: string, higherIsBetter: boolean): Measure {
    const key = `${section}\n${name}`;
    const known = this.#measures.get(key);
    if (known !== undefined) return known;
    const measure: Measure = { section, name, unit, higherIsBetter, values: new Map(), agrees: new Map() };
    this.#measures.set(key, measure);
    return measure;
  }

  add(measure: Measure, server: string, value: number | undefined): void {
    if (value === undefined) return;
    const values = measure.values.get(server) ?? [];
    measure.values.set(server, values);
    values.push(value);
  }

  markdown(servers: readonly string[]): string {
    const lines: string[] = [];
    const others = servers.filter((server) => server !== this.#ours);
    for (const section of new Set([...this.#measures.values()].map((measure) => measure.section))) {
      lines.push('', `### ${section}`, '');
      const columns = ['', 'unit', this.#ours, ...others.flatMap((server) => [server, 'ratio'])];
      lines.push(row(columns), row(columns.map((_, index) => (index < 2 ? '---' : '---:'))));
      for (const measure of this.#measures.values()) {
        if (measure.section === section) lines.push(this.#line(measure, others));
      }
    }
    return `${lines.join('\n').trim()}\n`;
  }

  #line(measure: Measure, others: readonly string[]): string {
    const ours = median(measure.values.get(this.#ours));
    const cells = [measure.name, measure.unit, numberText(ours)];
    for (const server of others) {
      const theirs = median(measure.values.get(server));
      const differs = measure.agrees.get(server) === false ? ' (differs)' : '';
      cells.push(`${numberText(theirs)}${differs}`, theirs === undefined || ours === undefined ? '' : `${(ours / theirs).toFixed(2)}x`);
    }
    return row(cells);
  }
}

function median(values: readonly number[] | undefined): number | undefined {
  if (values === undefined || values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

function numberText(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-';
  if (value >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(value >= 10 ? 1 : 2);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}
