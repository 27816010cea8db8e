import { validateDatabaseName } from '../../../catalog/index.ts';
import type { InfluxError } from '../../../shared/errors.ts';
import { decodeParams } from '../request/query-string.ts';
import type { WriteEndpoint } from '../request/write-endpoint.ts';
import type { ErrorLog } from '../response/error-log.ts';
import { sendV2Error, toInfluxError } from '../response/error-response.ts';
import { bucketDatabase, bucketParts, refuseLegacyName } from './namespace-name.ts';
import { partialWriteText } from './partial-write.ts';
import { refused } from './v2-errors.ts';
import {
  checkLegacyTarget,
  LEGACY_PRECISIONS,
  type LegacyTarget,
  precisionOf,
  storeLegacyBody,
  TargetCache,
  type WriteEndpointDependencies,
} from './write-request.ts';

const rules = {
  bucket: { kind: 'string' },
  org: { kind: 'string' },
  precision: { kind: 'variant', variants: LEGACY_PRECISIONS, emptyIsAbsent: true },
} as const;

/** `POST /api/v2/write`: the v1 rules, with errors as `{"code", "message"}`. Any `org` is as good as another. */
export function writeV2(deps: WriteEndpointDependencies & { readonly errorLog: ErrorLog }): WriteEndpoint {
  const targets = new TargetCache(decodeTarget, () => refused('no org/bucket destination provided'));
  const answer: WriteEndpoint['answer'] = async (request, reply) => {
    try {
      const target = targets.of(request.originalUrl);
      const asFailure = (error: unknown): InfluxError => asWriteBufferError(toInfluxError(error, deps.errorLog));
      const stored = await storeLegacyBody(deps, request, target, asFailure);
      if (stored.lineErrors.length > 0) throw refused(partialWriteText(stored));
      return reply.code(204).send();
    } catch (error) {
      return sendV2Error(reply, toInfluxError(error, deps.errorLog));
    }
  };
  return { answer, checkTarget: (originalUrl, access) => checkLegacyTarget(deps, access, targets.of(originalUrl)) };
}

function decodeTarget(query: string): LegacyTarget {
  const params = decodeParams(query, rules, (detail) => refused(`failed to deserialize org/bucket/precision in request: ${detail}`));
  const bucket = params.get('bucket') ?? '';
  if (bucket === '') throw refused('missing bucket value');
  const name = bucketDatabase(bucket);
  const refusal = refuseLegacyName(name);
  if (refusal !== undefined) throw refused(refusal);
  validateDatabaseName(name);
  return { ...bucketParts(bucket), precision: precisionOf(params.get('precision'), 'nanosecond'), acceptPartial: true, noSync: false };
}

/** compat: every storage failure is a 400 here, with its own prefixes. */
function asWriteBufferError(error: InfluxError): InfluxError {
  if (error.code === 'INTERNAL_ERROR') return error;
  const isLimit = error.status === 422;
  if (isLimit) return refused(`write buffer error: catalog update error: ${error.message}`, error);
  return refused(error.message.startsWith('write buffer error: ') ? error.message : `write buffer error: ${error.message}`, error);
}
