import { gzipSync } from 'node:zlib';
import type { Random } from './random.ts';
import { databaseName, jsonText, lineProtocol, sqlText } from './random-text.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const CONFIGURE = '/api/v3/configure';

/** Members that the JSON bodies of an endpoint know. */
const ENDPOINTS: readonly (readonly [method: string, path: string, members: readonly string[]])[] = [
  ['POST', '/api/v3/write_lp', []],
  ['POST', '/write', []],
  ['POST', '/api/v2/write', []],
  ['GET', '/api/v3/query_sql', []],
  ['POST', '/api/v3/query_sql', ['db', 'q', 'format', 'params']],
  ['POST', '/api/v3/query_influxql', ['db', 'q', 'format', 'params']],
  ['POST', '/query', ['db', 'q']],
  ['GET', '/health', []],
  ['GET', '/ping', []],
  ['GET', '/metrics', []],
  ['GET', `${CONFIGURE}/database`, []],
  ['POST', `${CONFIGURE}/database`, ['db', 'retention_period']],
  ['PUT', `${CONFIGURE}/database`, ['db', 'retention_period']],
  ['DELETE', `${CONFIGURE}/database`, []],
  ['POST', `${CONFIGURE}/database/retention_period`, []],
  ['DELETE', `${CONFIGURE}/database/retention_period`, []],
  ['POST', `${CONFIGURE}/table`, ['db', 'table', 'tags', 'fields']],
  ['DELETE', `${CONFIGURE}/table`, []],
  ['POST', `${CONFIGURE}/last_cache`, ['db', 'table', 'name', 'key_columns', 'value_columns', 'count', 'ttl']],
  ['DELETE', `${CONFIGURE}/last_cache`, ['db', 'table', 'name']],
  ['POST', `${CONFIGURE}/distinct_cache`, ['db', 'table', 'name', 'columns', 'max_cardinality', 'max_age']],
  ['DELETE', `${CONFIGURE}/distinct_cache`, ['db', 'table', 'name']],
  ['POST', `${CONFIGURE}/token/named_admin`, ['token_name', 'expiry_secs']],
  ['DELETE', `${CONFIGURE}/token`, []],
  ['POST', `${CONFIGURE}/processing_engine_trigger`, ['db', 'plugin_filename', 'trigger_name', 'trigger_settings', 'disabled']],
  ['DELETE', `${CONFIGURE}/processing_engine_trigger`, ['db', 'trigger_name', 'force']],
  ['POST', `${CONFIGURE}/processing_engine_trigger/enable`, []],
  ['POST', `${CONFIGURE}/plugin_environment/install_packages`, ['packages']],
  ['POST', '/api/v3/plugin_test/wal', ['filename', 'database', 'input_lp']],
  ['PUT', '/api/v3/plugins/files', ['plugin_name', 'content']],
  ['GET', '/api/v3/engine/x', []],
  ['GET', '/api/v3/test/telemetry_snapshot', []],
  ['GET', '/api/v3/telemetry/status', []],
  ['GET', '/api/v3/telemetry/log', []],
  ['GET', '/telemetry', []],
];
const METHODS = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'];
const ENCODINGS = ['gzip', 'gzip', 'identity', 'deflate', 'GZIP', 'br', ''];
const TYPES = ['application/json', 'application/json; charset=utf-8', 'text/plain', 'application/x-www-form-urlencoded', 'x', ''];
const ACCEPTS = ['application/json', '*/*', 'text/csv', 'text/plain', 'application/vnd.apache.parquet', 'image/png', 'text/html', ''];
const FORMATS = ['json', 'jsonl', 'csv', 'pretty', 'parquet', 'xml', ''];

/** One request: mostly a known endpoint with plausible parameters, spoiled in places. Never touches the database `keep`. */
export function randomRequest(random: Random): FuzzRequest {
  const [usual, path, members] = random.pick(ENDPOINTS);
  const method = random.chance(0.93) ? usual : random.pick(METHODS);
  const json = members.length > 0 && random.chance(0.9);
  const content = json ? jsonText(random, members) : random.chance(0.9) ? lineProtocol(random) : random.bytes(200);
  const plain = Buffer.from(content as string);
  const headers: Record<string, string> = {};
  const body = encoded(random, plain, headers);
  if (json && random.chance(0.9)) headers['content-type'] = 'application/json';
  else if (random.chance(0.2)) headers['content-type'] = random.pick(TYPES);
  if (random.chance(0.2)) headers['accept'] = random.pick(ACCEPTS);
  if (random.chance(0.1)) headers['authorization'] = random.pick(['Bearer x', 'bearer x', 'Basic !!', 'Token', 'Basic eDp5']);
  const bodyless = method === 'GET' || method === 'HEAD' || method === 'OPTIONS';
  return { method, path: target(random, path), headers, body: bodyless ? Buffer.alloc(0) : body };
}

function encoded(random: Random, plain: Buffer, headers: Record<string, string>): Buffer {
  if (random.chance(0.75)) return plain;
  headers['content-encoding'] = random.pick(ENCODINGS);
  const zipped = gzipSync(plain);
  const kind = random.below(5);
  if (kind === 0) return zipped.subarray(0, random.below(zipped.length));
  if (kind === 1) return random.bytes(50);
  if (kind === 2) return Buffer.concat([zipped, gzipSync(plain)]);
  return zipped;
}

function target(random: Random, path: string): string {
  if (random.chance(0.02)) return `${path}${random.pick(['/', '%2f', '//', '/x', '%', `/${'y'.repeat(4000)}`])}`;
  if (random.chance(0.05)) return path;
  const params = parameters(random).filter(() => random.chance(0.75));
  const query = params.map(([name, value]) => `${name}=${random.chance(0.97) ? encodeURIComponent(value) : '%zz%ff'}`);
  if (random.chance(0.05)) query.push(random.pick(['&&&', '=', '%', 'db=x', 'a'.repeat(3000), '+']));
  return `${path}?${query.join('&')}`;
}

function parameters(random: Random): [name: string, value: string][] {
  return [
    ['db', databaseName(random)],
    ['bucket', databaseName(random)],
    ['q', sqlText(random)],
    ['format', random.chance(0.9) ? random.pick(FORMATS.slice(0, 5)) : random.pick(FORMATS)],
    ['precision', random.pick(['auto', 's', 'ms', 'us', 'ns', 'nanosecond', 'h', ''])],
    ['accept_partial', random.pick(['true', 'false', 'True', ''])],
    ['no_sync', random.pick(['true', 'false', '1'])],
    ['params', jsonText(random, ['p', 'q'])],
    ['rp', random.pick(['autogen', '', 'x', "''", 'ä'])],
    ['table', random.pick(['w', 'w2', 'nope', ''])],
    ['name', random.pick(['x', ''])],
    ['trigger_name', 'x'],
    ['token_name', random.pick(['x', '_admin', ''])],
    ['duration', random.pick(['1d', '7x', '', '99999999999999999999y', '1d 12h', '-1s'])],
    ['hard_delete_at', random.pick(['now', 'never', 'default', '2030-01-01T00:00:00Z', 'x', '9999999-01-01'])],
    ['show_deleted', random.pick(['true', 'false', 'x'])],
    ['limit', random.pick(['1', '-1', 'x', '1e9'])],
  ];
}
