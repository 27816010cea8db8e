import type { Limited } from './permissions-support.ts';
import { bodyOf, params } from './permissions-support.ts';
import { type Ask, REGENERATE } from './security-support.ts';

export const READERS_OF_A: readonly Limited[] = ['readA', 'bothA', 'readAWriteB', 'readAll', 'bothAll'];
export const WRITERS_OF_A: readonly Limited[] = ['writeA', 'bothA', 'writeAll', 'bothAll'];
export const READERS_OF_B: readonly Limited[] = ['bothB', 'readAll', 'bothAll'];

/** Who is let in; admin tokens always are. `anyone` needs no token. */
export type May = 'anyone' | 'every token' | readonly Limited[];

export interface Sample extends Pick<Ask, 'body' | 'json'> {
  readonly path: string;
  readonly may: May;
}

const ADMIN: May = [];

/** A request to every route that is about the database `a`, if it is about one, and who may send it. */
export const SAMPLES: Readonly<Record<string, Sample>> = {
  'GET /': { path: '/', may: 'anyone' },
  'GET /explorer/app.js': { path: '/explorer/app.js', may: 'anyone' },
  'GET /explorer/app.css': { path: '/explorer/app.css', may: 'anyone' },
  'POST /telem': { path: '/telem', body: '{}', may: 'anyone' },
  'POST /api/v3/configure/token/admin': { path: '/api/v3/configure/token/admin', may: 'anyone' },

  'POST /api/v3/write_lp': { path: '/api/v3/write_lp?db=a', body: 'm v=1i 3000', may: WRITERS_OF_A },
  'POST /write': { path: '/write?db=a', body: 'm v=1i 3000', may: WRITERS_OF_A },
  'POST /api/v2/write': { path: '/api/v2/write?bucket=a', body: 'm v=1i 3000', may: WRITERS_OF_A },
  'POST /api/v2/delete': {
    path: '/api/v2/delete?bucket=a',
    body: '{"start":"1960-01-01T00:00:00Z","stop":"1960-01-02T00:00:00Z"}',
    may: WRITERS_OF_A,
  },

  'GET /api/v3/query_sql': { path: `/api/v3/query_sql?${params({ db: 'a', q: 'SELECT * FROM m' })}`, may: READERS_OF_A },
  'POST /api/v3/query_sql': { path: '/api/v3/query_sql', json: '{"db":"a","q":"SELECT * FROM m","format":"parquet"}', may: READERS_OF_A },
  'GET /api/v3/query_influxql': { path: `/api/v3/query_influxql?${params({ db: 'a', q: 'SELECT * FROM m' })}`, may: READERS_OF_A },
  'POST /api/v3/query_influxql': {
    path: '/api/v3/query_influxql',
    json: '{"q":"SELECT * FROM a.autogen.m","format":"parquet"}',
    may: READERS_OF_A,
  },
  'GET /query': { path: `/query?${params({ db: 'a', q: 'SELECT * FROM m' })}`, may: READERS_OF_A },
  'POST /query': { path: `/query?${params({ db: 'a', q: 'SELECT * FROM m' })}`, may: READERS_OF_A },
  'POST /api/v2/query': { path: '/api/v2/query', json: '{"type":"influxql","bucket":"a","query":"SELECT * FROM m"}', may: READERS_OF_A },

  'GET /health': { path: '/health', may: 'every token' },
  'HEAD /health': { path: '/health', may: 'every token' },
  'GET /api/v1/health': { path: '/api/v1/health', may: 'every token' },
  'HEAD /api/v1/health': { path: '/api/v1/health', may: 'every token' },
  'GET /ping': { path: '/ping', may: 'every token' },
  'HEAD /ping': { path: '/ping', may: 'every token' },
  'POST /ping': { path: '/ping', may: 'every token' },
  'GET /ready': { path: '/ready', may: 'every token' },
  'GET /metrics': { path: '/metrics', may: ['metrics', 'system'] },
  'HEAD /metrics': { path: '/metrics', may: ['metrics', 'system'] },
  'GET /api/v3/test/telemetry_snapshot': { path: '/api/v3/test/telemetry_snapshot', may: ['system'] },

  'GET /api/v2/buckets': { path: '/api/v2/buckets', may: 'every token' },
  'POST /api/v2/buckets': { path: '/api/v2/buckets', json: '{}', may: ADMIN },
  'DELETE /api/v2/buckets/:id': { path: '/api/v2/buckets/0123456789abcdef', may: ADMIN },
  'GET /api/v2/orgs': { path: '/api/v2/orgs', may: 'every token' },
  'GET /api/v2/setup': { path: '/api/v2/setup', may: 'every token' },
  'POST /api/v2/setup': { path: '/api/v2/setup', may: 'every token' },
  'GET /api/v2/ping': { path: '/api/v2/ping', may: 'every token' },
  'GET /api/v2/health': { path: '/api/v2/health', may: 'every token' },
  'GET /api/v2/ready': { path: '/api/v2/ready', may: 'every token' },
  // what may not be read is not there
  'GET /api/v2/buckets/:id': { path: '/api/v2/buckets/0123456789abcdef', may: 'every token' },

  'GET /api/v3/configure/database': { path: '/api/v3/configure/database?format=json', may: 'every token' },
  'POST /api/v3/configure/database': { path: '/api/v3/configure/database', json: '{}', may: ADMIN },
  'PUT /api/v3/configure/database': { path: '/api/v3/configure/database', json: '{}', may: ADMIN },
  'DELETE /api/v3/configure/database': { path: '/api/v3/configure/database?db=nosuch', may: ADMIN },
  'POST /api/v3/configure/database/undelete': { path: '/api/v3/configure/database/undelete', json: '{"db":"a"}', may: ADMIN },
  'POST /api/v3/configure/database/retention_period': {
    path: '/api/v3/configure/database/retention_period?db=nosuch&duration=1d',
    may: ADMIN,
  },
  'DELETE /api/v3/configure/database/retention_period': { path: '/api/v3/configure/database/retention_period?db=a', may: ADMIN },
  'POST /api/v3/configure/table': {
    path: '/api/v3/configure/table',
    json: '{"db":"a","table":"m","tags":["t"],"fields":[]}',
    may: ADMIN,
  },
  'DELETE /api/v3/configure/table': { path: '/api/v3/configure/table?db=a&table=nosuch', may: ADMIN },
  'POST /api/v3/configure/table/undelete': { path: '/api/v3/configure/table/undelete', json: '{"db":"a","table":"m"}', may: ADMIN },
  'POST /api/v3/configure/last_cache': { path: '/api/v3/configure/last_cache', json: '{"db":"a","table":"nosuch"}', may: ADMIN },
  'DELETE /api/v3/configure/last_cache': { path: '/api/v3/configure/last_cache?db=a&table=m&name=nosuch', may: ADMIN },
  'POST /api/v3/configure/distinct_cache': {
    path: '/api/v3/configure/distinct_cache',
    json: '{"db":"a","table":"nosuch","columns":["t"]}',
    may: ADMIN,
  },
  'DELETE /api/v3/configure/distinct_cache': { path: '/api/v3/configure/distinct_cache?db=a&table=m&name=nosuch', may: ADMIN },

  // the last request of its test uses it, because it ends the operator token
  'POST /api/v3/configure/token/admin/regenerate': { path: REGENERATE, may: ADMIN },
  'POST /api/v3/configure/token/named_admin': { path: '/api/v3/configure/token/named_admin', json: '{}', may: ADMIN },
  'POST /api/v3/configure/token': { path: '/api/v3/configure/token', json: '{}', may: ADMIN },
  'POST /api/v3/enterprise/configure/token': {
    path: '/api/v3/enterprise/configure/token',
    json: bodyOf('readA', ['db:*:*']),
    may: ADMIN,
  },
  'DELETE /api/v3/configure/token': { path: '/api/v3/configure/token?token_name=nosuch', may: ADMIN },

  'POST /api/v3/configure/processing_engine_trigger': { path: '/api/v3/configure/processing_engine_trigger', json: '{}', may: ADMIN },
  'DELETE /api/v3/configure/processing_engine_trigger': {
    path: '/api/v3/configure/processing_engine_trigger?db=a&trigger_name=nosuch',
    may: ADMIN,
  },
  'POST /api/v3/configure/processing_engine_trigger/enable': {
    path: '/api/v3/configure/processing_engine_trigger/enable?db=a&trigger_name=hello',
    may: ADMIN,
  },
  'POST /api/v3/configure/processing_engine_trigger/disable': {
    path: '/api/v3/configure/processing_engine_trigger/disable?db=a&trigger_name=nosuch',
    may: ADMIN,
  },
  'POST /api/v3/configure/plugin_environment/install_packages': {
    path: '/api/v3/configure/plugin_environment/install_packages',
    json: '{}',
    may: ADMIN,
  },
  'POST /api/v3/configure/plugin_environment/install_requirements': {
    path: '/api/v3/configure/plugin_environment/install_requirements',
    json: '{}',
    may: ADMIN,
  },
  'POST /api/v3/plugins/files': { path: '/api/v3/plugins/files', json: '{}', may: ADMIN },
  'PUT /api/v3/plugins/files': { path: '/api/v3/plugins/files', json: '{}', may: ADMIN },
  'PUT /api/v3/plugins/directory': { path: '/api/v3/plugins/directory', json: '{}', may: ADMIN },
  'POST /api/v3/plugin_test/wal': { path: '/api/v3/plugin_test/wal', json: '{}', may: ADMIN },
  'POST /api/v3/plugin_test/schedule': { path: '/api/v3/plugin_test/schedule', json: '{}', may: ADMIN },
  'GET /api/v3/engine/*': { path: '/api/v3/engine/hello', may: ['bothA', 'bothAll'] },
  'POST /api/v3/engine/*': { path: '/api/v3/engine/hell%6f', body: 'x', may: ['bothA', 'bothAll'] },

  'POST /api/v3/backup': { path: '/api/v3/backup', may: ADMIN },
  'GET /api/v3/backup/:id': { path: '/api/v3/backup/nosuch?path=x', may: ADMIN },
  'DELETE /api/v3/backup/:id': { path: '/api/v3/backup/nosuch', may: ADMIN },

  'GET /telemetry/page.js': { path: '/telemetry/page.js', may: 'anyone' },
  'GET /telemetry/page.css': { path: '/telemetry/page.css', may: 'anyone' },
  'GET /telemetry': { path: '/telemetry', may: ['system'] },
  'GET /api/v3/telemetry/status': { path: '/api/v3/telemetry/status', may: ['system'] },
  'GET /api/v3/telemetry/preview': { path: '/api/v3/telemetry/preview', may: ['system'] },
  'GET /api/v3/telemetry/log': { path: '/api/v3/telemetry/log', may: ['system'] },
  'GET /api/v3/telemetry/schema': { path: '/api/v3/telemetry/schema', may: ['system'] },
  'POST /api/v3/telemetry/off': { path: '/api/v3/telemetry/off', may: ADMIN },
  'POST /api/v3/telemetry/on': { path: '/api/v3/telemetry/on', may: ADMIN },
  'POST /api/v3/telemetry/reset_id': { path: '/api/v3/telemetry/reset_id', may: ADMIN },
};

/** InfluxQL, the database of the request, and who may send it. */
export const STATEMENTS: readonly (readonly [q: string, db: string | undefined, may: May])[] = [
  ['SELECT v FROM m', 'a', READERS_OF_A],
  ['SELECT v FROM a.autogen.m', undefined, READERS_OF_A],
  ['SELECT v FROM b.autogen.m', 'a', READERS_OF_B],
  ['SELECT v FROM b..m', 'a', READERS_OF_B],
  ['SELECT max(v) FROM (SELECT v FROM b.autogen.m)', 'a', READERS_OF_B],
  ['SELECT v FROM b.autogen.m, b.autogen.only_b', 'a', READERS_OF_B],
  ['SELECT v FROM b.autogen./m/', 'a', READERS_OF_B],
  ['SELECT v FROM a.week.m', undefined, [...READERS_OF_A, 'policyA']],
  ['SELECT v FROM week.m', 'a', [...READERS_OF_A, 'policyA']],
  ['EXPLAIN SELECT v FROM b.autogen.m', 'a', READERS_OF_B],
  ['EXPLAIN ANALYZE SELECT v FROM b.autogen.m', 'a', READERS_OF_B],
  ['SHOW MEASUREMENTS ON b', 'a', READERS_OF_B],
  ['SHOW MEASUREMENTS', 'a', READERS_OF_A],
  ['SHOW TAG KEYS ON b', 'a', READERS_OF_B],
  ['SHOW FIELD KEYS ON b', 'a', READERS_OF_B],
  ['SHOW TAG VALUES ON b WITH KEY = t', 'a', READERS_OF_B],
  ['SHOW SERIES ON b', 'a', READERS_OF_B],
  ['SHOW SERIES CARDINALITY ON b', 'a', READERS_OF_B],
  ['SHOW RETENTION POLICIES ON b', 'a', READERS_OF_B],
  ['SHOW RETENTION POLICIES', undefined, 'every token'],
  ['SHOW DATABASES', undefined, 'every token'],
  ['SHOW QUERIES', undefined, 'every token'],
  ['SHOW USERS', undefined, 'every token'],
  ["CREATE USER x WITH PASSWORD 'y'", undefined, 'every token'],
  ['SELECT v INTO b.autogen.copied FROM a.autogen.m', undefined, ['readAWriteB', 'bothAll']],
  ['SELECT v INTO b.autogen.copied FROM m', 'a', ['readAWriteB', 'bothAll']],
  ['SELECT v INTO copied FROM m', 'a', ['bothA', 'bothAll']],
  ['SELECT v INTO a.week.copied FROM week.m', 'a', ['bothA', 'bothAll', 'policyA']],
  ['SELECT v FROM a.autogen.m; SELECT v FROM b.autogen.m', undefined, ['readAll', 'bothAll']],
  ["DELETE FROM m WHERE time < '1960-01-01T00:00:00Z'", 'a', WRITERS_OF_A],
  ['DROP SERIES FROM nosuch', 'a', WRITERS_OF_A],
  ['DROP MEASUREMENT nosuch', 'a', ADMIN],
  ['CREATE DATABASE a', 'a', ADMIN],
  ['DROP DATABASE nosuch', 'a', ADMIN],
  ['CREATE RETENTION POLICY week ON a DURATION 0s REPLICATION 1', undefined, ADMIN],
  ['ALTER RETENTION POLICY nosuch ON a DURATION 1d', undefined, ADMIN],
  ['DROP RETENTION POLICY nosuch ON a', undefined, ADMIN],
  ['SHOW DIAGNOSTICS', undefined, ADMIN],
  ['SHOW STATS', undefined, ADMIN],
  ['KILL QUERY 1', undefined, ADMIN],
];

/** Statements that are sent to `/api/v2/query` too, which carries them out in the same way. */
export const V2_TOO: ReadonlySet<string> = new Set([
  'SELECT v FROM m',
  'SELECT v FROM b.autogen.m',
  'SHOW MEASUREMENTS ON b',
  'SELECT v INTO b.autogen.copied FROM m',
  'DROP DATABASE nosuch',
]);
