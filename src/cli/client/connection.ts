import { valueTypes } from '../../config/index.ts';
import { defaulted, flag, optional, required } from '../command-model.ts';
import type { Call } from '../leaf.ts';
import type { ApiClient } from './api-client.ts';

/** Options of everything that talks to a server. */
export const connectionOptions = {
  host: defaulted('http://127.0.0.1:8181', {
    flag: 'host',
    short: 'H',
    env: 'INFLUXDB3_HOST_URL',
    placeholder: 'HOST_URL',
    type: valueTypes.hostUrl,
    help: 'Server to talk to: a URL, or a host with or without its port',
  }),
  token: optional({
    flag: 'token',
    env: 'INFLUXDB3_AUTH_TOKEN',
    placeholder: 'AUTH_TOKEN',
    type: valueTypes.text,
    secret: true,
    help: 'Token for the server',
  }),
  ...tlsOptions(),
} as const;

/** `--tls-ca` and `--tls-no-verify`; `show system` takes them after the sub-command. */
export function tlsOptions() {
  return {
    tlsCa: optional({
      flag: 'tls-ca',
      env: 'INFLUXDB3_TLS_CA',
      placeholder: 'CA_CERT',
      type: valueTypes.path,
      help: 'One more trusted root certificate, PEM, or DER when the name ends in .der',
    }),
    tlsNoVerify: flag({
      flag: 'tls-no-verify',
      env: 'INFLUXDB3_TLS_NO_VERIFY',
      help: 'Accept any certificate',
    }),
  } as const;
}

/** `-d/--database`, required. */
export const databaseOption = {
  database: required({
    flag: 'database',
    short: 'd',
    env: 'INFLUXDB3_DATABASE_NAME',
    placeholder: 'DATABASE_NAME',
    type: valueTypes.text,
    help: 'Database to work on',
  }),
} as const;

/** Formats of results; `jsonl` is `json_lines` on the wire. */
export const formatOption = {
  format: defaulted('pretty', {
    flag: 'format',
    placeholder: 'OUTPUT_FORMAT',
    type: valueTypes.oneOf(['pretty', 'json', 'jsonl', 'csv', 'parquet'] as const),
    help: 'Shape of the result',
  }),
} as const;

/** What a command hands to open its connection. */
export type ConnectionValues = Pick<Call<typeof connectionOptions>['values'], 'host' | 'token' | 'tlsCa' | 'tlsNoVerify'>;

/** Wire name of a format. */
export function wireFormat(format: string): string {
  return format === 'jsonl' ? 'json_lines' : format;
}

/** Opens a client, runs the work and closes the client. The HTTP library is loaded here and not earlier. */
export async function withClient<T>(
  values: ConnectionValues,
  call: Pick<Call<never>, 'io'>,
  work: (client: ApiClient) => Promise<T>,
): Promise<T> {
  const { openClient } = await import('./api-client.ts');
  const client = openClient(values, call.io.environment);
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}
