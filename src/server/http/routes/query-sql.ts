import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { QueryService, SqlRequest } from '../../../query/query-service.ts';
import type { BindValue } from '../../../query/result.ts';
import { bindParams, bindParamsFromText } from '../bind-params.ts';
import { readBody } from '../body.ts';
import { missingQueryParams, notImplemented, serdeError } from '../errors.ts';
import { JsonObjectReader } from '../json-body.ts';
import { decodeParams, splitTarget } from '../query-string.ts';
import { formatFromAccept, formatOf, QUERY_FORMATS, type QueryFormat } from '../result-format.ts';
import { sendResult } from '../result-response.ts';
import { requireUtf8 } from '../utf8.ts';

export interface QueryEndpointDependencies {
  readonly queryService: QueryService;
  readonly maxBodyBytes: number;
}

interface DecodedQuery {
  readonly database: string;
  readonly query: string;
  readonly format: QueryFormat;
  readonly params: ReadonlyMap<string, BindValue>;
}

const rules = {
  db: { kind: 'string', required: true },
  q: { kind: 'string', required: true },
  format: { kind: 'variant', variants: QUERY_FORMATS },
  params: { kind: 'string' },
} as const;

/** `/api/v3/query_sql` (http-api.md 7) and, until they exist, refusals of the InfluxQL endpoints. */
export function registerQueryRoutes(app: FastifyInstance, deps: QueryEndpointDependencies): void {
  app.get('/api/v3/query_sql', async (request, reply) => answer(deps, request, reply, decodeUrl(request)));
  app.post('/api/v3/query_sql', async (request, reply) => answer(deps, request, reply, await decodeBody(request, deps.maxBodyBytes)));
  for (const path of ['/api/v3/query_influxql', '/query']) {
    app.route({
      method: ['GET', 'POST'],
      url: path,
      handler: () => {
        throw notImplemented('InfluxQL');
      },
    });
  }
}

function decodeUrl(request: FastifyRequest): DecodedQuery {
  const accepted = formatFromAccept(request.headers.accept);
  const { query } = splitTarget(request.originalUrl);
  if (query === undefined) throw missingQueryParams();
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

async function decodeBody(request: FastifyRequest, maxBodyBytes: number): Promise<DecodedQuery> {
  const accepted = formatFromAccept(request.headers.accept);
  const body = await readBody(request.raw, maxBodyBytes);
  requireUtf8(body);
  const text = body.toString('utf8');
  const reader = JsonObjectReader.parse(text, 'QueryRequest', ['db', 'q', 'format', 'params']);
  const format = reader.optionalVariant('format', QUERY_FORMATS);
  const params = reader.optionalNode('params');
  return {
    database: reader.string('db'),
    query: reader.string('q'),
    format: format === undefined ? accepted : formatOf(format),
    params: params === undefined ? new Map() : bindParams(text, params),
  };
}

async function answer(
  deps: QueryEndpointDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  decoded: DecodedQuery,
): Promise<FastifyReply> {
  const abort = new AbortController();
  const onClose = (): void => {
    if (!reply.raw.writableEnded) abort.abort();
  };
  reply.raw.once('close', onClose);
  if (request.raw.destroyed && reply.raw.destroyed) abort.abort();
  const { database, query, params, format } = decoded;
  const sql: SqlRequest = { database, query, params, signal: abort.signal };
  if (format !== 'parquet') return sendResult(reply, await deps.queryService.sql(sql), format);
  const file = await deps.queryService.sqlToParquet(sql);
  return reply.header('content-type', 'application/vnd.apache.parquet').send(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
}
