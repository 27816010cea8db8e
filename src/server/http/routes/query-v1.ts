import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { PolicyDatabase } from '../../../catalog/index.ts';
import type { GuardedInfluxql } from '../../guarded-services.ts';
import { clientLeft } from '../request/client-left.ts';
import { decodeV1Query, type V1Query } from '../request/v1-request.ts';
import type { ErrorLog } from '../response/error-log.ts';
import { asV1Error, toInfluxError } from '../response/error-response.ts';
import { v1Answer } from './v1-answer.ts';

export interface V1QueryDependencies {
  readonly influxql: GuardedInfluxql;
  readonly policyDatabase: PolicyDatabase;
  readonly maxBodyBytes: number;
  readonly errorLog: ErrorLog;
}

/** `GET|POST /query`. @param version sent with every answer, as InfluxDB 1 does */
export function registerQueryV1(app: FastifyInstance, deps: V1QueryDependencies, version: string): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    reply.header('x-influxdb-version', version);
    try {
      return await sendV1Answer(deps, await decodeV1Query(request, deps.maxBodyBytes), request, reply);
    } catch (error) {
      throw asV1Error(error, deps.errorLog);
    }
  };
  app.get('/query', handler);
  app.post('/query', handler);
}

const CONTENT_TYPES = { json: 'application/json', csv: 'application/csv', msgpack: 'application/x-msgpack' } as const;

/** Runs the statements and sends what they answer. */
export async function sendV1Answer(
  deps: V1QueryDependencies,
  query: V1Query,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { access } = request;
  const toError = (error: unknown): ReturnType<typeof toInfluxError> => toInfluxError(error, deps.errorLog);
  const pieces = v1Answer({ ...deps, access, toError }, query, clientLeft(request, reply));
  const first = await pieces.next();
  const second = first.done === true ? first : await pieces.next();
  reply.header('content-type', CONTENT_TYPES[query.format]);
  if (second.done === true) return reply.send(first.value ?? Buffer.alloc(0));
  const all = (async function* () {
    yield first.value as Buffer;
    yield second.value as Buffer;
    yield* pieces;
  })();
  return reply.send(Readable.from(all, { objectMode: false }));
}
