import { clientCommand } from '../client/client-command.ts';
import { connectionOptions, withClient } from '../client/connection.ts';
import { ApiError } from '../client/failure.ts';
import type { LeafModel } from '../command-model.ts';
import { print } from '../io.ts';

/** `healthcheck`: exit 0 when a server answers, for containers and service managers. */
export function healthcheckCommand(): LeafModel {
  return clientCommand('Healthcheck', {
    name: 'healthcheck',
    about: 'Say whether a server answers; exit code 0 or 1',
    options: connectionOptions,
    async run({ values, io }) {
      await withClient(values, { io }, (client) => client.fetch({ method: 'GET', path: '/health' }).catch(answeredWithoutToken));
      await print(io, 'OK');
      return 0;
    },
  });
}

/** A server that asks for a token is up. */
function answeredWithoutToken(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 401) throw error;
}
