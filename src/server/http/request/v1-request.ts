import type { FastifyRequest } from 'fastify';
import type { InfluxqlParam } from '../../../query/influxql/parse/index.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { INFLUXQL_UNIT_NS } from '../../../shared/time-units.ts';
import { badV1Request } from '../response/errors.ts';
import { typedParamsFromText } from './bind-params.ts';
import { mediaType, readBody } from './body.ts';
import { type JsonNode, JsonTextError, parseJsonText } from './json-text.ts';
import { decodeParams, splitTarget } from './query-string.ts';

/** What a client asks of `/query`. */
export interface V1Query {
  readonly query: string;
  /** Statements that change something need a POST. */
  readonly mayChange: boolean;
  readonly database: string | undefined;
  readonly policy: string | undefined;
  /** Nanoseconds of the wanted unit; undefined = RFC 3339 text. */
  readonly epochNs: bigint | undefined;
  readonly pretty: boolean;
  /** Rows of one chunk; undefined = not chunked. */
  readonly chunkRows: number | undefined;
  readonly params: ReadonlyMap<string, InfluxqlParam>;
  readonly format: 'json' | 'csv' | 'msgpack';
}

const EPOCH_ALIASES: Readonly<Record<string, string>> = { n: 'ns', us: 'u' };

const DEFAULT_CHUNK_ROWS = 10_000;

/** In the order in which a refusal lists them. */
const EPOCHS = ['ns', 'u', 'µ', 'ms', 's', 'm', 'h', 'd', 'w'];

const rules = {
  q: { kind: 'string' },
  db: { kind: 'string' },
  rp: { kind: 'string' },
  // The published v1 client sends an empty one for "none".
  // `n` is what the published v1 clients for Java and Node.js mean by `ns`.
  epoch: { kind: 'variant', variants: EPOCHS, also: Object.keys(EPOCH_ALIASES), emptyIsAbsent: true },
  chunked: { kind: 'boolean' },
  chunk_size: { kind: 'string' },
  pretty: { kind: 'boolean' },
  params: { kind: 'string' },
} as const;

/** Reads a request of `/query`. Throws errors in the shape `{"error": ..}`. */
export async function decodeV1Query(request: FastifyRequest, maxBodyBytes: number): Promise<V1Query> {
  const format = acceptedV1Format(request.headers.accept);
  const url = splitTarget(request.originalUrl).query;
  const values = request.method === 'GET' ? fromUrl(url) : await fromPost(request, url, maxBodyBytes);
  const query = values.get('q');
  if (query === undefined) throw badV1Request('expected a query to be provided in the query string or body');
  return {
    query,
    mayChange: request.method === 'POST',
    database: values.get('db') || undefined,
    policy: values.get('rp') || undefined,
    epochNs: epochNs(values.get('epoch') ?? ''),
    pretty: values.get('pretty') === 'true',
    chunkRows: values.get('chunked') === 'true' ? chunkRows(values.get('chunk_size')) : undefined,
    params: bindParams(values.get('params')),
    format,
  };
}

function epochNs(unit: string): bigint | undefined {
  return INFLUXQL_UNIT_NS[EPOCH_ALIASES[unit] ?? unit];
}

/** The first type of the list that is known; JSON for all others. A header never refuses a query. */
export function acceptedV1Format(accept: string | undefined): V1Query['format'] {
  for (const item of (accept ?? '').split(',')) {
    switch (mediaType(item)) {
      case '*/*':
      case 'application/*':
      case 'application/json':
        return 'json';
      case 'application/csv':
      case 'text/csv':
        return 'csv';
      case 'application/x-msgpack':
        return 'msgpack';
    }
  }
  return 'json';
}

function fromUrl(url: string | undefined): Map<string, string> {
  if (url === undefined) throw badV1Request("missing query parameters 'db' and 'q'");
  return decode(url);
}

async function fromPost(request: FastifyRequest, url: string | undefined, maxBodyBytes: number): Promise<Map<string, string>> {
  const type = request.headers['content-type'] ?? '';
  const merged = url === undefined ? new Map<string, string>() : decode(url);
  const body = await readBody(request.raw, maxBodyBytes);
  switch (mediaType(type)) {
    case 'application/x-www-form-urlencoded':
      for (const [name, value] of decode(body.toString('latin1'))) merged.set(name, value);
      return merged;
    case 'multipart/form-data': {
      const fields = await multipartFields(type, body);
      for (const [name, value] of decode(new URLSearchParams(fields).toString())) merged.set(name, value);
      return merged;
    }
    case 'application/json': {
      const members = jsonMembers(body);
      if (members === undefined) break;
      for (const [name, value] of decode(new URLSearchParams(members).toString())) merged.set(name, value);
      return merged;
    }
  }
  if (url === undefined && mediaType(type) !== 'application/json') return fromUrl(url);
  if (!merged.get('q') && body.length > 0) merged.set('q', body.toString('utf8'));
  return merged;
}

/** Parameters in a JSON object, the bind parameters as an object or as its text; undefined = the body is no such object. */
function jsonMembers(body: Buffer): [string, string][] | undefined {
  const text = body.toString('utf8');
  let node: JsonNode;
  try {
    node = parseJsonText(text);
  } catch (error) {
    if (error instanceof JsonTextError) return undefined;
    throw error;
  }
  if (node.kind !== 'object') return undefined;
  return node.members
    .filter(({ name, value }) => Object.hasOwn(rules, name) && value.kind !== 'null')
    .map(({ name, nameEnd, value }) => [name, memberText(text.slice(nameEnd, value.end), value)]);
}

/** @param written the member behind its name: numbers keep all their digits */
function memberText(written: string, value: JsonNode): string {
  return value.kind === 'string' ? value.value : written.replace(/^\s*:\s*/, '');
}

/** Fields of a form; those that came as a file count as their content. */
async function multipartFields(type: string, body: Buffer): Promise<[string, string][]> {
  if (!/;\s*boundary=/i.test(type)) throw badV1Request('A boundary header is required for multipart upload');
  const form = await new Response(body, { headers: { 'content-type': type } }).formData().catch((error: unknown) => {
    throw badV1Request(`error decoding multipart file upload: ${error instanceof Error ? error.message : String(error)}`);
  });
  const fields: [string, string][] = [];
  for (const [name, value] of form) {
    if (!Object.hasOwn(rules, name)) continue;
    fields.push([name, typeof value === 'string' ? value : fileText(name, await value.bytes())]);
  }
  return fields;
}

function fileText(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw badV1Request(`error reading field from body: ${name} -- not valid UTF-8`);
  }
}

function decode(text: string): Map<string, string> {
  return decodeParams(text, rules, (detail) => badV1Request(`error decoding params from url: ${detail}`));
}

function chunkRows(text: string | undefined): number {
  if (text === undefined) return DEFAULT_CHUNK_ROWS;
  if (!/^\d{1,15}$/.test(text)) throw badV1Request('error decoding params from url: invalid digit found in string');
  return Number(text);
}

function bindParams(text: string | undefined): ReadonlyMap<string, InfluxqlParam> {
  if (text === undefined || text === '') return new Map();
  try {
    return typedParamsFromText(text);
  } catch (error) {
    if (!(error instanceof InfluxError)) throw error;
    throw badV1Request(`error decoding query body: ${error.message.replace(/^serde json error: /, '')}`);
  }
}
