import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { InfluxqlRequest } from '../../../query/influxql/contract.ts';
import { needsDatabase, parseInfluxql, statementDatabase } from '../../../query/influxql/parse/index.ts';
import { InfluxError } from '../../../shared/errors.ts';
import type { GuardedInfluxql } from '../../guarded-services.ts';
import { clientLeft } from '../request/client-left.ts';
import { sendResult } from '../response/result-response.ts';
import { type DecodedQuery, decodeQueryBody, decodeQueryUrl } from './query-request.ts';
import { noDatabase } from './v1-answer.ts';

export interface InfluxqlEndpointDependencies {
  readonly influxql: GuardedInfluxql;
  readonly maxBodyBytes: number;
}

/** `GET|POST /api/v3/query_influxql`. */
export function registerQueryInfluxql(app: FastifyInstance, deps: InfluxqlEndpointDependencies): void {
  const path = '/api/v3/query_influxql';
  app.get(path, async (request, reply) => answer(deps, request, reply, decodeQueryUrl(request, false)));
  app.post(path, async (request, reply) => answer(deps, request, reply, await decodeQueryBody(request, deps.maxBodyBytes, false)));
}

async function answer(
  deps: InfluxqlEndpointDependencies,
  request: FastifyRequest,
  reply: FastifyReply,
  decoded: DecodedQuery,
): Promise<FastifyReply> {
  const statement = { ...onlyStatement(decoded), signal: clientLeft(request, reply) };
  const influxql = deps.influxql.for(request.access);
  if (decoded.format !== 'parquet') {
    const { result } = await influxql.run(statement);
    return sendResult(reply, result, decoded.format);
  }
  const file = await influxql.toParquet(statement);
  return reply.header('content-type', 'application/vnd.apache.parquet').send(Buffer.from(file.buffer, file.byteOffset, file.byteLength));
}

function onlyStatement({ query, database, params }: DecodedQuery): InfluxqlRequest {
  const [parsed, ...more] = parseInfluxql(query, params);
  if (parsed === undefined || more.length > 0) {
    throw new InfluxError({ code: 'INFLUXQL_STATEMENTS', message: 'must provide only one InfluxQl statement per query', status: 400 });
  }
  const requested = database === '' ? undefined : database;
  const named = statementDatabase(parsed, requested);
  const { statement, text } = parsed;
  if (named === undefined && needsDatabase(statement)) throw noDatabase();
  if (named !== undefined && requested !== undefined && named !== requested) throw databasesDiffer(requested, named);
  return { database: named, statement, text };
}

function databasesDiffer(requested: string, named: string): InfluxError {
  return new InfluxError({
    code: 'INFLUXQL_DATABASES',
    message:
      `provided a database in both the parameters (${requested}) and query string (${named}) that do not match, ` +
      "if providing a query that specifies the database, you can omit the 'database' parameter from your request",
    status: 400,
  });
}
