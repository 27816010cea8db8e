import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnswerRows } from './answer.ts';
import { asInfluxQl } from './questions.ts';
import type { Target } from './target.ts';

interface InfluxAnswer {
  readonly error?: string;
  readonly results?: readonly {
    readonly error?: string;
    readonly series?: readonly {
      readonly tags?: Readonly<Record<string, string>>;
      /** The first is always the time. */
      readonly columns: readonly string[];
      readonly values: readonly (readonly unknown[])[];
    }[];
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
  answer(body, question) {
    const { error, results = [] } = JSON.parse(body) as InfluxAnswer;
    if (error !== undefined) throw new Error(error);
    const answer = new AnswerRows(question);
    for (const result of results) {
      if (result.error !== undefined) throw new Error(result.error);
      for (const { tags, columns, values } of result.series ?? []) {
        const hostColumn = columns.indexOf('hostname');
        for (const row of values) {
          const host = tags?.['hostname'] ?? row[hostColumn];
          const timeSecs = Date.parse(String(row[0])) / 1000;
          for (let column = 1; column < row.length; column++) answer.add(String(host), timeSecs, columns[column] ?? '', row[column]);
        }
      }
    }
    return answer.rows;
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
