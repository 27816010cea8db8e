import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asInfluxQl } from './questions.ts';
import { fold, type Target } from './target.ts';

interface InfluxAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly { readonly columns: readonly string[]; readonly values: readonly (readonly unknown[])[] }[];
  }[];
}

/** InfluxDB 1.x with its log synced before each acknowledgement, which is its default. */
export const influxdb1: Target = {
  name: 'InfluxDB 1.6',
  durability: 'log written and synced to disk before the 204',
  debian: { program: 'influxd', packageName: 'influxdb' },
  command(dir, port) {
    const file = join(dir, 'influxdb.conf');
    writeFileSync(file, configuration(dir, port));
    return { program: 'influxd', args: ['run', '-config', file] };
  },
  readyPath: '/ping',
  prepare: { method: 'POST', path: `/query?q=${encodeURIComponent('CREATE DATABASE bench')}` },
  writePath: () => '/write?db=bench&precision=ns',
  ask: (question) => ({ method: 'GET', path: `/query?db=bench&q=${encodeURIComponent(asInfluxQl(question))}` }),
  answer(body) {
    const { error, results = [] } = JSON.parse(body) as InfluxAnswer;
    if (error !== undefined) throw new Error(error);
    const rows: unknown[][] = [];
    for (const result of results) {
      if (result.error !== undefined) throw new Error(result.error);
      for (const { columns, values } of result.series ?? []) {
        const time = columns.indexOf('time');
        for (const row of values) rows.push(row.filter((_, index) => index !== time));
      }
    }
    return fold(rows);
  },
};

function configuration(dir: string, port: number): string {
  const path = (name: string): string => JSON.stringify(join(dir, name));
  return `reporting-disabled = true
bind-address = "127.0.0.1:${port + 1}"
[meta]
  dir = ${path('meta')}
  logging-enabled = false
[data]
  dir = ${path('data')}
  wal-dir = ${path('wal')}
  index-version = "inmem"
  query-log-enabled = false
  max-series-per-database = 0
  max-values-per-tag = 0
  cache-max-memory-size = "2g"
  cache-snapshot-write-cold-duration = "5s"
  compact-full-write-cold-duration = "5s"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:${port}"
  log-enabled = false
  max-row-limit = 0
  max-body-size = 268435456
[logging]
  level = "error"
[continuous_queries]
  enabled = false
`;
}
