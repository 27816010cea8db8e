import { newPolicyDatabase, validateDatabaseName } from '../../../catalog/index.ts';
import { decodeParams } from '../request/query-string.ts';
import type { WriteEndpoint } from '../request/write-endpoint.ts';
import type { ErrorLog } from '../response/error-log.ts';
import { asV1Error } from '../response/error-response.ts';
import { badV1Request } from '../response/errors.ts';
import { refuseLegacyName } from './namespace-name.ts';
import { partialWriteText } from './partial-write.ts';
import {
  COARSE_PRECISIONS,
  checkLegacyTarget,
  LEGACY_PRECISIONS,
  type LegacyTarget,
  precisionOf,
  storeLegacyBody,
  TargetCache,
  type WriteEndpointDependencies,
} from './write-request.ts';

const rules = {
  db: { kind: 'string', required: true },
  rp: { kind: 'string' },
  precision: { kind: 'variant', variants: LEGACY_PRECISIONS, also: COARSE_PRECISIONS, emptyIsAbsent: true },
} as const;

/** `POST /write`. @param version sent with every answer, as InfluxDB 1 does */
export function writeV1(deps: WriteEndpointDependencies & { readonly errorLog: ErrorLog }, version: string): WriteEndpoint {
  const targets = new TargetCache(decodeTarget, () => badV1Request('no db destination provided'));
  const answer: WriteEndpoint['answer'] = async (request, reply) => {
    reply.header('x-influxdb-version', version);
    try {
      const target = targets.of(request.originalUrl);
      const stored = await storeLegacyBody(deps, request, target);
      if (stored.lineErrors.length > 0) throw badV1Request(partialWriteText(stored));
      return reply.code(204).send();
    } catch (error) {
      throw asV1Error(error, deps.errorLog);
    }
  };
  return { answer, checkTarget: (originalUrl, access) => checkLegacyTarget(deps, access, targets.of(originalUrl)) };
}

function decodeTarget(query: string): LegacyTarget {
  const params = decodeParams(query, rules, (detail) => badV1Request(`failed to deserialize db/rp/precision in request: ${detail}`));
  const database = params.get('db') ?? '';
  const policy = params.get('rp');
  const name = newPolicyDatabase(database, policy);
  const refusal = refuseLegacyName(name);
  if (refusal !== undefined) throw badV1Request(refusal);
  validateDatabaseName(name);
  // As InfluxDB 1: good lines are kept. `u`, `consistency` and what no rule names have no effect.
  return { database, policy, precision: precisionOf(params.get('precision'), 'nanosecond'), acceptPartial: true, noSync: false };
}
