import type { FastifyInstance, FastifyReply } from 'fastify';
import type { CreatedToken, TokenAdmin } from '../../../admin/admin-service.ts';
import { InfluxError } from '../../../shared/errors.ts';
import { checkedPermission, checkPermissions, PermissionError, type TokenPermission } from '../../../shared/token-permissions.ts';
import type { JsonObjectReader } from '../request/json-body.ts';
import { readJsonObject } from '../request/json-endpoint.ts';
import { decodeParams, splitTarget } from '../request/query-string.ts';
import { serdeError } from '../response/errors.ts';

export interface TokenEndpointDependencies {
  readonly tokens: TokenAdmin;
  readonly maxBodyBytes: number;
}

const PATH = '/api/v3/configure/token';

/** Where InfluxDB 3 Enterprise makes resource tokens. */
const ENTERPRISE_PATH = '/api/v3/enterprise/configure/token';

/** Admin tokens, and tokens that may do less. */
export function registerTokens(app: FastifyInstance, deps: TokenEndpointDependencies): void {
  const { tokens, maxBodyBytes } = deps;
  app.post(`${PATH}/admin`, async (_request, reply) => sendToken(reply, await tokens.createOperator()));
  app.post(`${PATH}/admin/regenerate`, async (_request, reply) => sendToken(reply, await tokens.regenerateOperator()));

  app.post(`${PATH}/named_admin`, async (request, reply) => {
    const body = await readJsonObject(request, maxBodyBytes, 'CreateNamedAdminTokenRequest', ['token_name', 'expiry_secs']);
    const created = await tokens.createNamed({ name: body.string('token_name'), expirySecs: body.optionalUint64('expiry_secs') });
    return sendToken(reply, created);
  });

  for (const path of [ENTERPRISE_PATH, PATH]) {
    app.post(path, async (request, reply) => {
      const body = await readJsonObject(request, maxBodyBytes, 'CreateTokenWithPermissionsRequest', [
        'token_name',
        'permissions',
        'expiry_secs',
      ]);
      const created = await tokens.createResource({
        name: body.string('token_name'),
        permissions: permissionsOf(body),
        expirySecs: body.optionalUint64('expiry_secs'),
      });
      return sendToken(reply, created);
    });
  }

  app.delete(PATH, async (request, reply) => {
    const rules = { token_name: { kind: 'string', required: true } } as const;
    const params = decodeParams(splitTarget(request.originalUrl).query ?? '', rules, serdeError);
    await tokens.delete(params.get('token_name') ?? '');
    return reply.code(200).send();
  });
}

/** `resource_names` is what the published command line sends, `resource_identifier` what the documentation of its API shows. */
function permissionsOf(body: JsonObjectReader): readonly TokenPermission[] {
  const members = ['resource_type', 'resource_names', 'resource_identifier', 'actions'];
  try {
    const permissions = body.array('permissions').map((node) => {
      const permission = body.nested(node, 'Permission', members);
      const names = permission.has('resource_identifier') ? 'resource_identifier' : 'resource_names';
      return checkedPermission(permission.string('resource_type'), permission.stringArray(names), permission.stringArray('actions'));
    });
    checkPermissions(permissions);
    return permissions;
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    throw new InfluxError({ code: 'PERMISSION_INVALID', message: `invalid permission: ${error.message}`, status: 400, cause: error });
  }
}

/** The token object that clients get once. */
export function tokenText(created: CreatedToken): string {
  const { id, name, token, hash, createdAtMs, expiryMs } = created;
  const rest = { name, token, hash, created_at: timeText(createdAtMs), expiry: expiryMs === undefined ? null : timeText(expiryMs) };
  return `{"id":${id},${JSON.stringify(rest).slice(1)}`;
}

function sendToken(reply: FastifyReply, created: CreatedToken): FastifyReply {
  // InfluxDB 3 Core sends the literal type `json`, which no client can use.
  return reply
    .code(201)
    .header('content-type', 'application/json')
    .send(Buffer.from(tokenText(created)));
}

/** RFC 3339 with `Z` and 0 or 3 fraction digits. */
function timeText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
