import { validateDatabaseName } from '../../../catalog/index.ts';
import type { InfluxError } from '../../../shared/errors.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import type { WriteEndpoint } from '../request/write-endpoint.ts';
import type { ErrorLog } from '../response/error-log.ts';
import { toInfluxError } from '../response/error-response.ts';
import { refuseLegacyName } from './namespace-name.ts';
import { refused, sendV2Error } from './v2-errors.ts';
import {
  LEGACY_PRECISIONS,
  precisionOf,
  refusedLineMessage,
  storeBody,
  TargetCache,
  type WriteEndpointDependencies,
  type WriteTarget,
} from './write-request.ts';

const rules = {
  bucket: { kind: 'string' },
  org: { kind: 'string' },
  precision: { kind: 'variant', variants: LEGACY_PRECISIONS },
} as const;

/** `POST /api/v2/write`: the v1 rules with errors in shape E2. */
export function writeV2(deps: WriteEndpointDependencies & { readonly errorLog: ErrorLog }): WriteEndpoint {
  const targets = new TargetCache(decodeTarget);
  const targetOf = (originalUrl: string): WriteTarget => {
    const { query } = splitTarget(originalUrl);
    if (query === undefined) throw refused('no org/bucket destination provided');
    return targets.of(query);
  };
  const answer: WriteEndpoint['answer'] = async (request, reply) => {
    try {
      const target = targetOf(request.originalUrl);
      const asFailure = (error: unknown): InfluxError => asWriteBufferError(toInfluxError(error, deps.errorLog));
      await storeBody(deps, request.raw, target, asFailure);
      return reply.code(204).send();
    } catch (error) {
      return sendV2Error(reply, toInfluxError(error, deps.errorLog));
    }
  };
  return { answer, checkTarget: targetOf };
}

function decodeTarget(query: string): WriteTarget {
  const params = decodeParams(query, rules, (detail) => refused(`failed to deserialize org/bucket/precision in request: ${detail}`));
  const database = params.get('bucket') ?? '';
  if (database === '') throw refused('missing bucket value');
  const refusal = refuseLegacyName(database);
  if (refusal !== undefined) throw refused(refusal);
  validateDatabaseName(database);
  return { database, precision: precisionOf(params.get('precision'), 'nanosecond'), acceptPartial: false, noSync: false };
}

/** compat: every storage failure is a 400 here, with its own prefixes. */
function asWriteBufferError(error: InfluxError): InfluxError {
  const line = refusedLineMessage(error);
  if (line !== undefined) return refused(`write buffer error: line protocol parse failed: ${line}`, error);
  if (error.code === 'INTERNAL_ERROR') return error;
  const isLimit = error.status === 422;
  if (isLimit) return refused(`write buffer error: catalog update error: ${error.message}`, error);
  return refused(error.message.startsWith('write buffer error: ') ? error.message : `write buffer error: ${error.message}`, error);
}
