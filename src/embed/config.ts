import { makeToken } from '../auth/index.ts';
import {
  buildServeConfig,
  type HostFacts,
  nearest,
  type Occurrence,
  type ServeConfig,
  serveOptionEntries,
  UsageError,
} from '../config/index.ts';
import { StartupError } from '../shared/startup-error.ts';
import type { StartOptions } from './options.ts';

const DEFAULT_NODE_ID = 'embedded';

/** Options that have a member of their own, or no meaning inside another program. */
const RESERVED: Readonly<Record<string, string>> = {
  'object-store': 'objectStore',
  'data-dir': 'dataDir',
  'node-id': 'nodeId',
  'http-bind': 'host and port',
  'without-auth': 'token',
  'admin-token-file': 'token',
  'log-filter': 'logLevel',
  'disable-telemetry-upload': 'telemetry',
};

/** The configuration of one server in process, from its options alone. Throws `StartupError`. */
export function embeddedConfig(options: StartOptions, token: string | undefined, facts: HostFacts): ServeConfig {
  const { host = '127.0.0.1', logLevel = 'off', nodeId = DEFAULT_NODE_ID, port = 0 } = options;
  const commandLine = new Map<string, Occurrence[]>();
  const give = (flag: string, value?: string) => commandLine.set(flag, [{ flag, value }]);
  for (const [flag, value] of Object.entries(options.serveOptions ?? {})) {
    checkFlag(flag);
    give(flag, String(value));
  }
  give('object-store', storeKind(options));
  if (options.dataDir !== undefined) give('data-dir', options.dataDir);
  give('node-id', nodeId);
  give('http-bind', `${host.includes(':') ? `[${host}]` : host}:${port}`);
  give('log-filter', logLevel);
  if (token === undefined) give('without-auth');
  if (options.telemetry !== true) give('disable-telemetry-upload');
  try {
    return buildServeConfig({ commandLine, environment: {}, facts, quickStart: false });
  } catch (error) {
    if (error instanceof UsageError) throw new StartupError(error.message, { exitCode: 2, cause: error });
    throw error;
  }
}

/** The token that clients must send; undefined = none. Throws `StartupError` for a text that no header can carry. */
export function chosenToken(token: StartOptions['token']): string | undefined {
  if (token === undefined || token === false) return undefined;
  if (token === true) return makeToken().token;
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new StartupError('token: give visible ASCII characters without spaces, or true', { exitCode: 2 });
  return token;
}

const OPTION_NAMES: Readonly<Record<keyof StartOptions, true>> = {
  objectStore: true,
  dataDir: true,
  nodeId: true,
  databases: true,
  token: true,
  host: true,
  port: true,
  keepAlive: true,
  logLevel: true,
  onLogLine: true,
  telemetry: true,
  serveOptions: true,
};

/** Refuses names that are no options: a slip of the pen must not start another server than was meant. Throws `StartupError`. */
export function checkNames(options: object): void {
  const names = Object.keys(OPTION_NAMES);
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    const flags = serveOptionEntries().map(([, spec]) => spec.flag);
    const similar = nearest(name, names);
    const tip = flags.includes(name)
      ? `; it is one of serveOptions: { serveOptions: { '${name}': … } }`
      : similar === undefined
        ? ` (there are ${names.join(', ')})`
        : `; did you mean '${similar}'?`;
    throw new StartupError(`startInfluxDB3 has no option '${name}'${tip}`, { exitCode: 2 });
  }
}

function storeKind({ dataDir, objectStore }: StartOptions): 'memory' | 'file' {
  const kind = objectStore ?? (dataDir === undefined ? 'memory' : 'file');
  if (kind === 'file' && dataDir === undefined) throw new StartupError("objectStore 'file' needs dataDir", { exitCode: 2 });
  if (kind === 'memory' && dataDir !== undefined) throw new StartupError("objectStore 'memory' takes no dataDir", { exitCode: 2 });
  return kind;
}

function checkFlag(flag: string): void {
  const member = RESERVED[flag];
  if (member !== undefined) throw new StartupError(`serveOptions: use ${member} instead of '${flag}'`, { exitCode: 2 });
  const flags = serveOptionEntries().map(([, spec]) => spec.flag);
  if (flags.includes(flag)) return;
  const similar = nearest(flag, flags);
  const tip = similar === undefined ? '' : `; did you mean '${similar}'?`;
  throw new StartupError(`serveOptions: influxdb3 serve has no option '${flag}'${tip}`, { exitCode: 2 });
}
