import { validateDatabaseName } from '../../../catalog/index.ts';
import { decodeParams } from '../request/query-string.ts';
import type { WriteEndpoint } from '../request/write-endpoint.ts';
import { sendJson } from '../response/error-response.ts';
import { missingWriteParams, serdeError } from '../response/errors.ts';
import {
  precisionOf,
  storeBody,
  TargetCache,
  V3_PRECISIONS,
  type WriteEndpointDependencies,
  type WriteTarget,
  wireLineError,
} from './write-request.ts';

const rules = {
  db: { kind: 'string', required: true },
  accept_partial: { kind: 'boolean' },
  precision: { kind: 'variant', variants: V3_PRECISIONS },
  no_sync: { kind: 'boolean' },
} as const;

/** `POST /api/v3/write_lp`. Parameters are checked in the order of `rules`, before the body is read. */
export function writeV3(deps: WriteEndpointDependencies): WriteEndpoint {
  const targets = new TargetCache(decodeTarget, missingWriteParams);
  const answer: WriteEndpoint['answer'] = async (request, reply) => {
    const target = targets.of(request.originalUrl);
    const outcome = await storeBody(deps, request, target);
    if (outcome.lineErrors.length === 0) return reply.code(204).send();
    const isLimit = outcome.lineErrors.some((error) => error.errorMessage.startsWith('Update to schema would exceed number of'));
    return sendJson(reply.code(isLimit ? 422 : 400), {
      error: 'partial write of line protocol occurred',
      data: outcome.lineErrors.map(wireLineError),
    });
  };
  return { answer, checkTarget: (originalUrl, access) => deps.writes.check(access, targets.of(originalUrl).database) };
}

function decodeTarget(query: string): WriteTarget {
  const params = decodeParams(query, rules, serdeError);
  const database = params.get('db') ?? '';
  validateDatabaseName(database);
  return {
    database,
    precision: precisionOf(params.get('precision'), 'auto'),
    acceptPartial: params.get('accept_partial') !== 'false',
    noSync: params.get('no_sync') === 'true',
  };
}
