import type { FastifyRequest } from 'fastify';
import type { BindValue } from '../../../query/result.ts';
import { bindParams, bindParamsFromText } from '../request/bind-params.ts';
import { readBody } from '../request/body.ts';
import { JsonObjectReader } from '../request/json-body.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import { requireUtf8 } from '../request/utf8.ts';
import { missingQueryParams, serdeError } from '../response/errors.ts';
import { formatFromAccept, formatOf, QUERY_FORMATS, type QueryFormat } from '../response/result-format.ts';

/** A request of one of the v3 query endpoints. */
export interface DecodedQuery {
  /** Empty when it may be left out and is. */
  readonly database: string;
  readonly query: string;
  readonly format: QueryFormat;
  readonly params: ReadonlyMap<string, BindValue>;
}

const optional = {
  q: { kind: 'string', required: true },
  format: { kind: 'variant', variants: QUERY_FORMATS },
  params: { kind: 'string' },
} as const;

/** Reads the parameters of a GET. */
export function decodeQueryUrl(request: FastifyRequest, databaseRequired: boolean): DecodedQuery {
  const accepted = formatFromAccept(request.headers.accept);
  const { query } = splitTarget(request.originalUrl);
  if (query === undefined) throw missingQueryParams();
  const rules = { db: { kind: 'string', required: databaseRequired }, ...optional } as const;
  const values = decodeParams(query, rules, serdeError);
  const format = values.get('format');
  const params = values.get('params');
  return {
    database: values.get('db') ?? '',
    query: values.get('q') ?? '',
    format: format === undefined ? accepted : formatOf(format),
    params: params === undefined ? new Map() : bindParamsFromText(params),
  };
}

/** Reads the JSON body of a POST. */
export async function decodeQueryBody(request: FastifyRequest, maxBodyBytes: number, databaseRequired: boolean): Promise<DecodedQuery> {
  const accepted = formatFromAccept(request.headers.accept);
  const body = await readBody(request.raw, maxBodyBytes);
  requireUtf8(body);
  const text = body.toString('utf8');
  const reader = JsonObjectReader.parse(text, 'QueryRequest', ['db', 'q', 'format', 'params']);
  const format = reader.optionalVariant('format', QUERY_FORMATS);
  const params = reader.optionalNode('params');
  return {
    database: databaseRequired ? reader.string('db') : (reader.optionalString('db') ?? ''),
    query: reader.string('q'),
    format: format === undefined ? accepted : formatOf(format),
    params: params === undefined ? new Map() : bindParams(text, params),
  };
}
