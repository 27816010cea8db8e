import { gzipSync } from 'node:zlib';
import type { Random } from '../random.ts';

/** One request as text in latin1, taken apart so that each part can be spoiled by itself. */
export interface Message {
  method: string;
  target: string;
  version: string;
  /** Name, what separates it from the value, value. */
  fields: [name: string, separator: string, value: string][];
  lineEnd: string;
  body: Buffer;
}

const WRITES = [
  '/write?db=d',
  '/api/v3/write_lp?db=d',
  '/api/v2/write?bucket=d&org=o',
  '/api/v3/write_lp?db=d&precision=ns',
  '/write?db=d&p=t',
];
const REFUSED_WRITES = ['/write', '/write?db=', '/api/v3/write_lp?db=%2Fx', '/api/v2/write?org=o', '/write?db=d&precision=no'];
const OTHER_TARGETS = ['/health', '/api/v3/query_sql', '/nope', '/api/v3/write_lp/', '/write/'];
const BODIES = ['m f=1', 'm,t=a f=1 1\nm,t=b f=2 2', '', 'bad', 'full', 'bug', 'm f=1 '.repeat(30)];
const AGENTS = ['curl/8.1', 'python-requests/2.31 (x; y)', 'Go-http-client/1.1'];

/** A well-formed request, mostly a write that the raw lane may read. */
export function randomMessage(random: Random): Message {
  const method = random.chance(0.9) ? 'POST' : random.pick(['GET', 'PUT', 'OPTIONS', 'HEAD', 'PATCH']);
  const target = random.chance(0.8) ? random.pick(WRITES) : random.pick(random.chance(0.5) ? REFUSED_WRITES : OTHER_TARGETS);
  const zipped = random.chance(0.15);
  const text = Buffer.from(random.pick(BODIES));
  const body = zipped ? gzipSync(text) : text;
  const fields: Message['fields'] = [['Host', ': ', 'a']];
  const add = (name: string, value: string): void => void fields.push([name, ': ', value]);
  if (random.chance(0.3)) add('User-Agent', random.pick(AGENTS));
  if (random.chance(0.3)) add('Accept', '*/*');
  if (random.chance(0.3)) add('Content-Type', 'text/plain; charset=utf-8');
  if (random.chance(0.2)) add('Connection', random.pick(['keep-alive', 'Keep-Alive', 'close']));
  if (random.chance(0.1)) add('Authorization', random.pick(['Bearer good', 'Bearer wrong', 'malformed']));
  if (zipped) add('Content-Encoding', 'gzip');
  add('Content-Length', String(body.length));
  return { method, target, version: 'HTTP/1.1', fields, lineEnd: '\r\n', body };
}

/** The bytes of a message. */
export function bytesOf({ method, target, version, fields, lineEnd, body }: Message): Buffer {
  const lines = fields.map(([name, separator, value]) => `${name}${separator}${value}${lineEnd}`).join('');
  return Buffer.concat([Buffer.from(`${method} ${target} ${version}${lineEnd}${lines}${lineEnd}`, 'latin1'), body]);
}
