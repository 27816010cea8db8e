import type { FastifyInstance } from 'fastify';
import type { PolicyDatabase } from '../../../catalog/index.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { parseDeletePredicate } from '../../../write/deletes/index.ts';
import type { GuardedDeletes } from '../../guarded-services.ts';
import { readBody } from '../request/body.ts';
import { JsonObjectReader } from '../request/json-body.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import { requireUtf8 } from '../request/utf8.ts';
import type { ErrorLog } from '../response/error-log.ts';
import { sendV2Error, toInfluxError } from '../response/error-response.ts';
import { bucketParts } from './namespace-name.ts';
import { refused } from './v2-errors.ts';

export interface DeleteEndpointDependencies {
  readonly deletes: GuardedDeletes;
  readonly policyDatabase: PolicyDatabase;
  readonly maxBodyBytes: number;
  readonly errorLog: ErrorLog;
}

const rules = { bucket: { kind: 'string' }, org: { kind: 'string' } } as const;

/**
 * `POST /api/v2/delete?bucket=<database>` with `{"start", "stop", "predicate"?}`: the row deletes of the v2 API, which
 * InfluxDB 3 Core lacks. Both times are inclusive; 204 when no query sees the rows any more.
 */
export function registerDeleteV2(app: FastifyInstance, deps: DeleteEndpointDependencies): void {
  app.post('/api/v2/delete', async (request, reply) => {
    try {
      const { query } = splitTarget(request.originalUrl);
      const params = decodeParams(query ?? '', rules, (detail) => refused(`failed to decode the query: ${detail}`));
      const bucket = params.get('bucket') ?? '';
      if (bucket === '') throw refused('missing bucket value');
      const { database: base, policy } = bucketParts(bucket);
      const database = deps.policyDatabase(base, policy);
      deps.deletes.check(request.access, database);
      const body = await readBody(request.raw, deps.maxBodyBytes);
      requireUtf8(body);
      const json = JsonObjectReader.parse(body.toString('utf8'), 'DeletePredicateRequest', ['start', 'stop', 'predicate']);
      const startNs = timeOf('start', json.string('start'));
      const stopNs = timeOf('stop', json.string('stop'));
      const predicate = parseDeletePredicate(json.optionalString('predicate') ?? '');
      await deps.deletes.deleteRows(request.access, database, { startNs, stopNs, ...predicate });
      return reply.code(204).send();
    } catch (error) {
      return sendV2Error(reply, toInfluxError(error, deps.errorLog));
    }
  });
}

const RFC3339 = /^(\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/;

/** RFC 3339 with up to nine fraction digits, to ns since the epoch. */
function timeOf(member: string, text: string): bigint {
  const match = RFC3339.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(`${match[1]}${match[3]}`.toUpperCase());
  if (match === null || Number.isNaN(ms)) {
    throw new InfluxError({
      code: 'INVALID_DELETE_TIME',
      message: `invalid RFC3339Nano for field ${member}, please format your time with RFC3339Nano format, example: 2009-01-02T23:00:00Z`,
      status: 400,
      shape: 'json',
    });
  }
  return BigInt(ms) * 1_000_000n + BigInt((match[2] ?? '').padEnd(9, '0'));
}
