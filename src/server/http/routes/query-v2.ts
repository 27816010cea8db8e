import type { FastifyInstance, FastifyRequest } from 'fastify';
import { mediaType, readBody } from '../request/body.ts';
import { JsonObjectReader } from '../request/json-body.ts';
import { requireUtf8 } from '../request/utf8.ts';
import { acceptedV1Format, type V1Query } from '../request/v1-request.ts';
import { sendV2Error, toInfluxError } from '../response/error-response.ts';
import { bucketParts } from './namespace-name.ts';
import { sendV1Answer, type V1QueryDependencies } from './query-v1.ts';
import { refused } from './v2-errors.ts';

const FLUX_REFUSED =
  'Flux is not supported: ask SQL at /api/v3/query_sql or InfluxQL at /api/v3/query_influxql, /query, or here with "type":"influxql"; ' +
  'the database is the name of the bucket';

/**
 * `POST /api/v2/query` with `{"type": "influxql", "query", "bucket"}`: the statements of `/query`, answered as InfluxDB 2 answers that type, in the
 * JSON of `/query`. Flux is refused.
 */
export function registerQueryV2(app: FastifyInstance, deps: V1QueryDependencies): void {
  app.post('/api/v2/query', async (request, reply) => {
    try {
      return await sendV1Answer(deps, await decodeV2Query(request, deps.maxBodyBytes), request, reply);
    } catch (error) {
      return sendV2Error(reply, toInfluxError(error, deps.errorLog));
    }
  });
}

async function decodeV2Query(request: FastifyRequest, maxBodyBytes: number): Promise<V1Query> {
  const type = mediaType(request.headers['content-type'] ?? '');
  if (type !== 'application/json' && type !== '') throw refused(FLUX_REFUSED); // a body of another type is a statement of Flux
  const body = await readBody(request.raw, maxBodyBytes);
  requireUtf8(body);
  const json = JsonObjectReader.parse(body.toString('utf8'), 'Query', ['query', 'type', 'bucket', 'db', 'rp']);
  if (json.optionalString('type') !== 'influxql') throw refused(FLUX_REFUSED);
  const { database, policy } = bucketParts(json.optionalString('bucket') ?? json.optionalString('db') ?? '');
  return {
    query: json.string('query'),
    mayChange: true,
    database: database === '' ? undefined : database,
    policy: policy ?? json.optionalString('rp'),
    epochNs: undefined,
    pretty: false,
    chunkRows: undefined,
    params: new Map(),
    format: acceptedV1Format(request.headers.accept),
  };
}
