import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CacheAdmin, CacheTarget } from '../../../admin/admin-service.ts';
import { readJsonObject } from '../request/json-endpoint.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import { serdeError } from '../response/errors.ts';
import { jsonWithBigints } from '../response/json-bigint.ts';

export interface CacheEndpointDependencies {
  readonly caches: CacheAdmin;
  readonly maxBodyBytes: number;
}

const LAST_PATH = '/api/v3/configure/last_cache';
const DISTINCT_PATH = '/api/v3/configure/distinct_cache';

const lastMembers = ['db', 'table', 'name', 'key_columns', 'value_columns', 'count', 'ttl'];
const distinctMembers = ['db', 'table', 'name', 'columns', 'max_cardinality', 'max_age'];

const targetRules = {
  db: { kind: 'string', required: true },
  table: { kind: 'string', required: true },
  name: { kind: 'string', required: true },
} as const;

/** Last value and distinct value caches. */
export function registerCaches(app: FastifyInstance, deps: CacheEndpointDependencies): void {
  const { caches, maxBodyBytes } = deps;

  app.post(LAST_PATH, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'LastCacheCreateRequest', lastMembers);
    const created = await caches.createLast({
      database: body.string('db'),
      table: body.string('table'),
      name: body.optionalString('name'),
      keyColumns: body.optionalStringArray('key_columns'),
      valueColumns: body.optionalStringArray('value_columns'),
      count: nonzero(body.optionalUint64('count'), () => body.valueError('count', 'last cache size must be greater than 0')),
      ttlSecs: body.optionalUint64('ttl'),
    });
    return sendCreated(reply, created);
  });

  app.post(DISTINCT_PATH, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'DistinctCacheCreateRequest', distinctMembers);
    const created = await caches.createDistinct({
      database: body.string('db'),
      table: body.string('table'),
      name: body.optionalString('name'),
      columns: body.stringArray('columns'),
      maxCardinality: nonzero(body.optionalUint64('max_cardinality'), () =>
        body.valueError('max_cardinality', 'invalid value: integer `0`, expected a nonzero usize'),
      ),
      maxAgeSecs: body.optionalUint64('max_age'),
    });
    return sendCreated(reply, created);
  });

  app.delete(LAST_PATH, async (request, reply) => {
    await caches.deleteLast(await targetOf(request, maxBodyBytes));
    return reply.code(200).send();
  });

  app.delete(DISTINCT_PATH, async (request, reply) => {
    await caches.deleteDistinct(await targetOf(request, maxBodyBytes));
    return reply.code(200).send();
  });
}

/** From the query string when there is one, else from the body. */
async function targetOf(request: FastifyRequest, maxBodyBytes: number): Promise<CacheTarget> {
  const { query } = splitTarget(request.originalUrl);
  if (query !== undefined) {
    const params = decodeParams(query, targetRules, serdeError);
    return { database: params.get('db') ?? '', table: params.get('table') ?? '', name: params.get('name') ?? '' };
  }
  const body = await readJsonObject(request, maxBodyBytes, 'CacheDeleteRequest', ['db', 'table', 'name']);
  return { database: body.string('db'), table: body.string('table'), name: body.string('name') };
}

function nonzero(value: bigint | undefined, refusal: () => Error): bigint | undefined {
  if (value === 0n) throw refusal();
  return value;
}

function sendCreated(reply: FastifyReply, created: unknown): FastifyReply {
  return reply
    .code(201)
    .header('content-type', 'application/json')
    .send(Buffer.from(jsonWithBigints(created)));
}
