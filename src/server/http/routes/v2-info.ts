import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { DatabaseAdmin } from '../../../admin/index.ts';
import type { Access } from '../../../auth/index.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { visibleDatabases } from '../../guarded-services.ts';
import { readBody } from '../request/body.ts';
import { formPairs, splitTarget } from '../request/query-string.ts';
import type { ErrorLog } from '../response/error-log.ts';
import { sendJson, sendV2Error, toInfluxError } from '../response/error-response.ts';
import { bucketDatabase } from './namespace-name.ts';
import { refused } from './v2-errors.ts';

export interface V2InfoDependencies {
  readonly databases: DatabaseAdmin;
  readonly maxBodyBytes: number;
  readonly errorLog: ErrorLog;
  readonly version: string;
  readonly unavailable: (() => string | undefined) | undefined;
}

/** The one organisation: any name of one is as good as another, so it answers to the name that is asked for. */
const ORG_ID = '0000000000000001';
const ORG_NAME = 'influxdb3';

/** What tools of InfluxDB 2 ask before they write or read: buckets, organisations, health, set-up. A bucket is a database. */
export function registerV2Info(app: FastifyInstance, deps: V2InfoDependencies): void {
  const route = (method: 'GET' | 'POST' | 'DELETE', path: string, answer: Answer): void => {
    app.route({
      method,
      url: path,
      handler: async (request, reply) => {
        try {
          return await answer(request, reply);
        } catch (error) {
          return sendV2Error(reply, toInfluxError(error, deps.errorLog));
        }
      },
    });
  };
  route('GET', '/api/v2/buckets', async (request, reply) => sendJson(reply, { buckets: listed(deps, request.access, queryOf(request)) }));
  route('POST', '/api/v2/buckets', (request, reply) => createBucket(deps, request, reply));
  route('GET', '/api/v2/buckets/:id', async (request, reply) => sendJson(reply, bucketById(deps, request)));
  route('DELETE', '/api/v2/buckets/:id', async (request, reply) => {
    const { name } = bucketById(deps, request);
    await deps.databases.delete({ name, hardDelete: { kind: 'default' } });
    return reply.code(204).send();
  });
  route('GET', '/api/v2/orgs', async (request, reply) => {
    const name = queryOf(request).get('org') ?? ORG_NAME;
    return sendJson(reply, { orgs: [{ id: ORG_ID, name, status: 'active' }] });
  });
  route('GET', '/api/v2/setup', async (_request, reply) => sendJson(reply, { allowed: false }));
  // as InfluxDB 2 that was set up: tokens are made by the command line or /api/v3/configure/token
  route('POST', '/api/v2/setup', async (_request, reply) =>
    sendJson(reply.code(422), { code: 'conflict', message: 'onboarding has already been completed' }),
  );
  route('GET', '/api/v2/ping', async (_request, reply) =>
    reply.code(204).header('x-influxdb-version', deps.version).header('x-influxdb-build', 'Core').send(),
  );
  route('GET', '/api/v2/health', async (_request, reply) => sendV2Health(reply, deps.version, deps.unavailable?.()));
  for (const path of ['/api/v2/ready', '/ready']) {
    route('GET', path, async (_request, reply) => {
      const ready = deps.unavailable?.() === undefined;
      return sendJson(reply.code(ready ? 200 : 503), { status: ready ? 'ready' : 'not ready' });
    });
  }
}

/** Health as InfluxDB 2 tells it. @param reason why nothing can be written or read; undefined = it can */
export function sendV2Health(reply: FastifyReply, version: string, reason: string | undefined): FastifyReply {
  const status = reason === undefined ? 'pass' : 'fail';
  const message = reason ?? 'ready for queries and writes';
  return sendJson(reply.code(reason === undefined ? 200 : 503), { name: 'influxdb', message, checks: [], status, version });
}

type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

interface Bucket {
  readonly id: string;
  readonly orgID: string;
  readonly type: 'user' | 'system';
  readonly name: string;
  readonly retentionRules: readonly { readonly type: 'expire'; readonly everySeconds: number }[];
}

/** Names have no ids: sixteen digits made of the name, the same on every call and every server. */
function bucketOf(name: string, everySeconds: number): Bucket {
  const id = createHash('sha256').update(name).digest('hex').slice(0, 16);
  const type = name.startsWith('_') ? 'system' : 'user';
  return { id, orgID: ORG_ID, type, name, retentionRules: everySeconds === 0 ? [] : [{ type: 'expire', everySeconds }] };
}

function bucketsOf({ databases }: V2InfoDependencies, access: Access): Bucket[] {
  return visibleDatabases(access, databases, { showDeleted: false }).map(({ name, retentionPeriodNs = 0n }) =>
    bucketOf(name, Number(retentionPeriodNs / 1_000_000_000n)),
  );
}

function listed(deps: V2InfoDependencies, access: Access, query: ReadonlyMap<string, string>): Bucket[] {
  const name = query.get('name');
  const id = query.get('id');
  const offset = Number(query.get('offset') ?? 0);
  const limit = Number(query.get('limit') ?? 20);
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(limit) || offset < 0 || limit < 0) throw refused('invalid limit or offset');
  const wanted = name === undefined ? undefined : bucketDatabase(name);
  return bucketsOf(deps, access)
    .filter((bucket) => (wanted === undefined || bucket.name === wanted) && (id === undefined || bucket.id === id))
    .slice(offset, offset + limit);
}

function bucketById(deps: V2InfoDependencies, request: FastifyRequest): Bucket {
  const { id } = request.params as { id: string };
  const found = bucketsOf(deps, request.access).find((bucket) => bucket.id === id);
  if (found !== undefined) return found;
  throw new InfluxError({ code: 'V2_BUCKET_NOT_FOUND', message: 'bucket not found', status: 404, shape: 'json' });
}

async function createBucket(deps: V2InfoDependencies, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const body = bodyObject((await readBody(request.raw, deps.maxBodyBytes)).toString('utf8'));
  if (typeof body['name'] !== 'string' || body['name'] === '') throw refused('bucket name is missing');
  const name = bucketDatabase(body['name']);
  const seconds = secondsOf(body['retentionRules']);
  if (bucketsOf(deps, request.access).some((bucket) => bucket.name === name)) {
    throw refused(`bucket with name ${name} already exists`);
  }
  await deps.databases.create({ name, retentionPeriodNs: seconds === 0 ? undefined : BigInt(seconds) * 1_000_000_000n });
  return sendJson(reply.code(201), bucketOf(name, seconds));
}

function bodyObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw refused('the body is no JSON object');
}

/** 0 = for ever. */
function secondsOf(rules: unknown): number {
  if (rules === undefined || rules === null) return 0;
  const [rule] = Array.isArray(rules) ? (rules as { everySeconds?: unknown }[]) : [];
  const seconds = rule === undefined && Array.isArray(rules) ? 0 : rule?.everySeconds;
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds) || seconds < 0)
    throw refused('retentionRules is no list with everySeconds');
  return seconds;
}

function queryOf(request: FastifyRequest): ReadonlyMap<string, string> {
  return new Map(formPairs(splitTarget(request.originalUrl).query ?? ''));
}
