import type { FastifyInstance } from 'fastify';
import type { DatabaseAdmin } from '../../../admin/admin-service.ts';
import { validateDatabaseName } from '../../../catalog/index.ts';
import { BOOLEAN, type MadeColumn, madeResult, TEXT } from '../../../query/results/index.ts';
import { DurationError, parseDurationNs } from '../../../shared/duration.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { visibleDatabases } from '../../guarded-services.ts';
import type { JsonObjectReader } from '../request/json-body.ts';
import { readJsonObject } from '../request/json-endpoint.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import { notImplemented, serdeError } from '../response/errors.ts';
import { formatOf, QUERY_FORMATS } from '../response/result-format.ts';
import { sendResult } from '../response/result-response.ts';
import { parseHardDelete } from './hard-delete.ts';

export interface DatabaseEndpointDependencies {
  readonly databases: DatabaseAdmin;
  readonly maxBodyBytes: number;
}

const PATH = '/api/v3/configure/database';
const UNDELETE_PATH = `${PATH}/undelete`;
const RETENTION_PATH = `${PATH}/retention_period`;

const listRules = { format: { kind: 'variant', variants: QUERY_FORMATS, required: true }, show_deleted: { kind: 'boolean' } } as const;
const deleteRules = { db: { kind: 'string', required: true }, hard_delete_at: { kind: 'string' } } as const;
const retentionRules = { db: { kind: 'string', required: true }, duration: { kind: 'string', required: true } } as const;
const clearRules = { db: { kind: 'string', required: true } } as const;

/** Databases and their retention. */
export function registerDatabases(app: FastifyInstance, deps: DatabaseEndpointDependencies): void {
  const { databases, maxBodyBytes } = deps;

  app.get(PATH, async (request, reply) => {
    const params = decodeParams(splitTarget(request.originalUrl).query ?? '', listRules, serdeError);
    const showDeleted = params.get('show_deleted') === 'true';
    const format = formatOf(params.get('format') ?? 'json');
    if (format === 'parquet') throw notImplemented('parquet format for the list of databases');
    const rows = visibleDatabases(request.access, databases, { showDeleted });
    const columns: MadeColumn[] = [{ name: 'iox::database', type: TEXT, values: rows.map((row) => row.name) }];
    if (showDeleted) columns.push({ name: 'deleted', type: BOOLEAN, values: rows.map((row) => row.deleted) });
    return sendResult(reply, madeResult(columns), format);
  });

  app.post(PATH, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'CreateDatabaseRequest', ['db', 'retention_period']);
    const name = body.string('db');
    const retentionPeriodNs = retentionOf(body);
    validateDatabaseName(name);
    await databases.create({ name, retentionPeriodNs });
    return reply.code(200).send();
  });

  app.put(PATH, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'UpdateDatabaseRequest', ['db', 'retention_period']);
    await databases.setRetention({ name: body.string('db'), retentionPeriodNs: retentionOf(body) });
    return reply.code(200).send();
  });

  app.delete(PATH, async (request, reply) => {
    const params = decodeParams(splitTarget(request.originalUrl).query ?? '', deleteRules, serdeError);
    await databases.delete({ name: params.get('db') ?? '', hardDelete: parseHardDelete(params.get('hard_delete_at')) });
    return reply.code(200).send();
  });

  app.post(UNDELETE_PATH, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'UndeleteDatabaseRequest', ['db', 'new_name']);
    await databases.undelete({ name: body.string('db'), newName: body.optionalString('new_name') });
    return reply.code(200).send();
  });

  app.post(RETENTION_PATH, async (request, reply) => {
    const params = decodeParams(splitTarget(request.originalUrl).query ?? '', retentionRules, serdeError);
    await databases.setRetention({ name: params.get('db') ?? '', retentionPeriodNs: queryDurationNs(params.get('duration') ?? '') });
    return reply.code(204).send();
  });

  app.delete(RETENTION_PATH, async (request, reply) => {
    const params = decodeParams(splitTarget(request.originalUrl).query ?? '', clearRules, serdeError);
    await databases.setRetention({ name: params.get('db') ?? '', retentionPeriodNs: undefined });
    return reply.code(204).send();
  });
}

/** The duration of a JSON body; absent and null mean none. */
function retentionOf(body: JsonObjectReader): bigint | undefined {
  const text = body.optionalString('retention_period');
  if (text === undefined) return undefined;
  const ns = durationNs(text);
  if (ns instanceof DurationError) {
    throw body.valueError('retention_period', `invalid value: string ${JSON.stringify(text)}, expected a duration`);
  }
  return ns;
}

function queryDurationNs(text: string): bigint {
  const ns = durationNs(text);
  if (!(ns instanceof DurationError)) return ns;
  throw new InfluxError({ code: 'DURATION_INVALID', message: `Cannot parse the given human time: ${ns.message}`, status: 400, cause: ns });
}

function durationNs(text: string): bigint | DurationError {
  try {
    return parseDurationNs(text);
  } catch (error) {
    if (error instanceof DurationError) return error;
    throw error;
  }
}
