/** What SHOW DIAGNOSTICS and SHOW STATS list. */
import { arch, availableParallelism, hostname, platform } from 'node:os';
import type { Catalog } from '../catalog/index.ts';
import { floatColumn, integerColumn, type MadeColumn, type MadeSeries, roughDuration, textColumn } from '../query/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Registry } from '../shared/prometheus.ts';
import type { ProductVersion } from '../shared/version.ts';

export interface DiagnosedServer {
  readonly catalog: Pick<Catalog, 'databases'>;
  readonly product: ProductVersion;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** About this server and its machine: the series of InfluxDB 1, and what is stored. */
export function diagnostics({ catalog, product, clock }: DiagnosedServer): readonly MadeSeries[] {
  const nowMs = clock.nowMs();
  const upMs = process.uptime() * 1000;
  const live = [...catalog.databases()].filter(({ deleted }) => !deleted);
  const tables = live.reduce((sum, each) => sum + [...each.tables.values()].filter(({ deleted }) => !deleted).length, 0);
  return [
    series('build', { Branch: '', 'Build Time': '', Commit: product.revision, Version: product.version }),
    series('network', { hostname: hostname() }),
    series('runtime', { 'Node.js': process.version, GOARCH: arch(), GOMAXPROCS: BigInt(availableParallelism()), GOOS: platform() }),
    series('storage', { databases: BigInt(live.length), tables: BigInt(tables) }),
    series('system', {
      PID: BigInt(process.pid),
      currentTime: new Date(nowMs).toISOString(),
      started: new Date(nowMs - upMs).toISOString(),
      uptime: roughDuration(upMs),
    }),
  ];
}

/** The metrics of `/metrics`: a series for each metric with its labels as tags; histograms have their count and sum. */
export async function statistics(metrics: Pick<Registry, 'getMetricsAsJSON'>): Promise<readonly MadeSeries[]> {
  const all = new Map<string, { readonly name: string; readonly tags: Record<string, string>; readonly columns: MadeColumn[] }>();
  for (const { name, type, values } of await metrics.getMetricsAsJSON()) {
    for (const { labels, value, ...rest } of values) {
      const shown = 'metricName' in rest ? String(rest.metricName) : name;
      if (shown.endsWith('_bucket')) continue;
      const key = JSON.stringify([name, labels]);
      const found = all.get(key) ?? { name, tags: textsOf(labels), columns: [] };
      all.set(key, found);
      found.columns.push(floatColumn((type as unknown) === 'histogram' ? shown.slice(name.length + 1) : 'value', [value]));
    }
  }
  return [...all.values()];
}

function series(name: string, values: Readonly<Record<string, string | bigint>>): MadeSeries {
  const columns = Object.entries(values).map(([column, value]) =>
    typeof value === 'string' ? textColumn(column, [value]) : integerColumn(column, [value]),
  );
  return { name, columns };
}

function textsOf(labels: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([label, value]) => [label, String(value)]));
}
