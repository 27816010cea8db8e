import { UsageError, valueTypes } from '../../config/index.ts';
import type { ApiRequest } from '../client/api-client.ts';
import { clientCommand } from '../client/client-command.ts';
import { durationNs } from '../client/common-arguments.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { ApiError, CommandFailure } from '../client/failure.ts';
import { askLine } from '../client/prompt.ts';
import { defaulted, flag, type GroupModel, group, type LeafModel, optional } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';
import type { Call } from '../leaf.ts';
import { usageLine } from '../usage.ts';
import { resourceToken } from './create-resource-token.ts';
import { showToken } from './show-token.ts';

const options = {
  ...connectionOptions,
  name: optional({ flag: 'name', type: valueTypes.text, help: 'Name of a further admin token; without it the operator token is made' }),
  expiry: optional({ flag: 'expiry', type: durationNs, help: 'How long the named token is valid, e.g. 90d' }),
  regenerate: flag({ flag: 'regenerate', help: 'Replace the operator token by a new one' }),
  format: defaulted('text', { flag: 'format', type: valueTypes.oneOf(['json', 'text'] as const), help: 'Shape of the answer' }),
  offline: flag({ flag: 'offline', help: 'Make a token file for --admin-token-file, without a server' }),
  outputFile: optional({ flag: 'output-file', placeholder: 'FILE', type: valueTypes.path, help: 'File for --offline' }),
} as const;

type TokenCall = Call<typeof options>;

/** `create token --admin`: the option is a command word, as in InfluxDB 3 Core. So is `--permission`, with its first value behind it. */
export function tokenGroup(): GroupModel {
  return group({
    name: 'token',
    about: 'Create a new auth token',
    aloneText:
      'Missing required subcommand. Use: influxdb3 create token --admin [OPTIONS] or influxdb3 create token --permission <PERMISSION> --name <NAME>',
    children: [adminToken(), resourceToken()],
  });
}

function adminToken(): LeafModel {
  return clientCommand('Create', {
    name: '--admin',
    about: 'Create an admin token: the operator token, or a named one',
    options,
    async run(call) {
      const { values } = call;
      if (values.regenerate && values.name !== undefined) {
        throw new UsageError('--regenerate cannot be used with --name, --regenerate only applies for operator token');
      }
      return values.offline ? offlineToken(call) : onlineToken(call);
    },
  });
}

async function onlineToken(call: TokenCall): Promise<number> {
  const { values, io } = call;
  if (values.regenerate) await confirmRegenerate(io);
  const answer = await withClient(values, call, (client) => client.fetch(tokenRequest(values)).catch(explainExisting));
  const { token } = JSON.parse(answer.body.toString('utf8')) as { token: string };
  await showToken(token, values.format, io);
  return 0;
}

/** A token of that name was made before. */
function explainExisting(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 409) throw error;
  throw new CommandFailure(error.body, {
    hint: 'the token was shown when it was made; --name <name> makes another one, --regenerate replaces the operator token (both need --token)',
    cause: error,
  });
}

function tokenRequest(values: TokenCall['values']): ApiRequest {
  const path = '/api/v3/configure/token';
  if (values.regenerate) return { method: 'POST', path: `${path}/admin/regenerate` };
  if (values.name === undefined) return { method: 'POST', path: `${path}/admin` };
  const expirySecs = values.expiry === undefined ? null : Number(values.expiry / 1_000_000_000n);
  return { method: 'POST', path: `${path}/named_admin`, json: { token_name: values.name, expiry_secs: expirySecs } };
}

async function confirmRegenerate(io: CliIo): Promise<void> {
  const answer = await askLine(io, "Are you sure you want to regenerate admin token? Enter 'yes' to confirm", 'stdout');
  if (answer !== 'yes') throw new CommandFailure('Cannot regenerate token without confirmation');
}

async function offlineToken(call: TokenCall): Promise<number> {
  const { values, io } = call;
  if (values.outputFile === undefined) {
    throw new UsageError('the following required arguments were not provided:\n  --output-file <FILE>', { usage: usageLine(call.path) });
  }
  const { makeTokenFile } = await import('../client/token-file.ts');
  const token = await makeTokenFile(values.outputFile, { name: values.name, expiryNs: values.expiry });
  await print(io, `Token saved to: ${values.outputFile}`);
  await showToken(token, values.format, io);
  return 0;
}
