import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AnswerRows } from './answer.ts';
import { asSql } from './questions.ts';
import type { Target } from './target.ts';

const BIN = resolve(fileURLToPath(import.meta.url), '../../../../../../bin/influxdb3.js');

/** This server. `args` are more options of `serve`. */
export function influxdb3(name: string, args: readonly string[]): Target {
  return {
    name,
    durability: 'log written and synced to disk before the 204',
    debian: undefined,
    command: (dir, port) => ({
      program: process.execPath,
      args: [
        BIN,
        'serve',
        ...['--node-id', 'bench', '--object-store', 'file', '--data-dir', dir],
        ...['--http-bind', `127.0.0.1:${port}`, '--without-auth', '--disable-telemetry-upload'],
        ...args,
      ],
    }),
    readyPath: '/health',
    prepare: undefined,
    writePath: (noSync) => `/api/v3/write_lp?db=bench&precision=nanosecond${noSync ? '&no_sync=true' : ''}`,
    ask: (question) => ({
      method: 'POST',
      path: '/api/v3/query_sql',
      body: JSON.stringify({ db: 'bench', q: asSql(question), format: 'json' }),
    }),
    answer(body, question) {
      const answer = new AnswerRows(question);
      for (const row of JSON.parse(body) as Record<string, unknown>[]) {
        const { hostname, time, minute, hour, ...values } = row;
        // Times have no zone: they are UTC.
        const timeSecs = Date.parse(`${time ?? minute ?? hour}Z`) / 1000;
        for (const name in values) answer.add(String(hostname), timeSecs, name, values[name]);
      }
      return answer.rows;
    },
  };
}
