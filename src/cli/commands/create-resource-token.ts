import { UsageError, type ValueType, valueTypes } from '../../config/index.ts';
import { checkPermissions, PermissionError, parsePermission, type TokenPermission } from '../../shared/token-permissions.ts';
import { clientCommand } from '../client/client-command.ts';
import { durationNs } from '../client/common-arguments.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { ApiError, CommandFailure } from '../client/failure.ts';
import { defaulted, type LeafModel, optional, required } from '../command-model.ts';
import { showToken } from './show-token.ts';

const PERMISSION = 'permission';

/** One for each time that the option is typed: what is between commas cannot be told apart once they are joined. */
const severalTexts: ValueType<string> = { name: 'permission', isList: true, parse: (text) => text };

const options = {
  ...connectionOptions,
  name: required({ flag: 'name', type: valueTypes.text, help: 'Name of the token' }),
  permission: optional({
    flag: PERMISSION,
    placeholder: 'PERMISSION',
    type: severalTexts,
    help: 'A further permission; may be given several times',
  }),
  expiry: optional({ flag: 'expiry', type: durationNs, help: 'How long the token is valid, e.g. 90d; without it until it is deleted' }),
  format: defaulted('text', { flag: 'format', type: valueTypes.oneOf(['json', 'text'] as const), help: 'Shape of the answer' }),
} as const;

/** `create token --permission`, as in InfluxDB 3 Enterprise. */
export function resourceToken(): LeafModel {
  return clientCommand('Create', {
    name: '--permission',
    about: 'Create a token that may read or write some databases, and nothing else',
    options,
    positionals: [
      {
        name: 'PERMISSION',
        required: true,
        variadic: true,
        help: 'RESOURCE_TYPE:RESOURCE_NAMES:ACTIONS: db:home,garden:read,write, db:*:read, system:metrics:read (health, metrics, ping, telemetry)',
      },
    ],
    async run(call) {
      const { io, typed, values, words } = call;
      const permissions = permissionsOf([...words, ...(typed.get(PERMISSION) ?? []).map(({ value = '' }) => value)]);
      const json = {
        token_name: values.name,
        permissions: permissions.map(({ resource, names, actions }) => ({ resource_type: resource, resource_names: names, actions })),
        expiry_secs: values.expiry === undefined ? null : Number(values.expiry / 1_000_000_000n),
      };
      const request = { method: 'POST', path: '/api/v3/enterprise/configure/token', json } as const;
      const answer = await withClient(values, call, (client) => client.fetch(request).catch(explainExisting));
      const { token } = JSON.parse(answer.body.toString('utf8')) as { token: string };
      await showToken(token, values.format, io);
      return 0;
    },
  });
}

function permissionsOf(texts: readonly string[]): readonly TokenPermission[] {
  let current = '';
  try {
    const permissions = texts.map((text) => {
      current = text;
      return parsePermission(text);
    });
    checkPermissions(permissions);
    return permissions;
  } catch (error) {
    if (!(error instanceof PermissionError)) throw error;
    throw new UsageError(`invalid value '${current}' for '--permission <PERMISSION>': ${error.message}`);
  }
}

function explainExisting(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 409) throw error;
  throw new CommandFailure(error.body, { hint: 'choose another --name, or delete the token first: influxdb3 delete token', cause: error });
}
