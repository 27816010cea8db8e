import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SqlRequest } from '../../../query/query-service.ts';
import type { GuardedQueries } from '../../guarded-services.ts';
import { clientLeft } from '../request/client-left.ts';
import { sendResult } from '../response/result-response.ts';
import { type DecodedQuery, decodeQueryBody, decodeQueryUrl } from './query-request.ts';

export interface QueryEndpointDependencies {
  readonly queries: GuardedQueries;
  readonly maxBodyBytes: number;
}

/** `GET|POST /api/v3/query_sql`. */
export function registerQueryRoutes(app: FastifyInstance, deps: QueryEndpointDependencies): void {
  app.get('/api/v3/query_sql', async (request, reply) => answer(deps, request, reply, decodeQueryUrl(request, true)));
  app.post('/api/v3/query_sql', async (request, reply) =>
    answer(deps, request, reply, await decodeQueryBody(request, deps.maxBodyBytes, true)),
  );
}

async function answer(
  deps: QueryEndpointDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  decoded: DecodedQuery,
): Promise<FastifyReply> {
  const { database, query, params, format } = decoded;
  const sql: SqlRequest = { database, query, params, signal: clientLeft(request, reply) };
  const queries = deps.queries.for(request.access);
  if (format !== 'parquet') return sendResult(reply, await queries.sql(sql), format);
  const file = await queries.sqlToParquet(sql);
  return reply.header('content-type', 'application/vnd.apache.parquet').send(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
}
