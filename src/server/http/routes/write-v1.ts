import type { FastifyInstance } from 'fastify';
import { validateDatabaseName } from '../../../write/catalog/index.ts';
import { badV1Request } from '../errors.ts';
import { decodeParams, splitTarget } from '../query-string.ts';
import { legacyDatabaseName, refuseLegacyName } from './namespace-name.ts';
import { LEGACY_PRECISIONS, precisionOf, storeBody, type WriteEndpointDependencies } from './write-request.ts';

const rules = {
  db: { kind: 'string', required: true },
  rp: { kind: 'string' },
  precision: { kind: 'variant', variants: LEGACY_PRECISIONS },
} as const;

/** `POST /write` (http-api.md 6.2). */
export function registerWriteV1(app: FastifyInstance, deps: WriteEndpointDependencies): void {
  app.post('/write', async (request, reply) => {
    const { query } = splitTarget(request.originalUrl);
    if (query === undefined) throw badV1Request('no db destination provided');
    const params = decodeParams(query, rules, (detail) => badV1Request(`failed to deserialize db/rp/precision in request: ${detail}`));
    const database = legacyDatabaseName(params.get('db') ?? '', params.get('rp'));
    const refusal = refuseLegacyName(database);
    if (refusal !== undefined) throw badV1Request(refusal);
    validateDatabaseName(database);
    // compat: one bad line refuses the whole write, whatever `accept_partial` says
    const precision = precisionOf(params.get('precision'), 'nanosecond');
    await storeBody(deps, request.raw, { database, precision, acceptPartial: false, noSync: false });
    return reply.code(204).send();
  });
}
