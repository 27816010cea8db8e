import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asSql } from './questions.ts';
import { fold, type Target } from './target.ts';

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
    answer: (body) => fold((JSON.parse(body) as Record<string, unknown>[]).map((row) => Object.values(row))),
  };
}
