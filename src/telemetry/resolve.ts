import { type Endpoint, resolveEndpoint } from './endpoint.ts';

/** Everything that can switch telemetry off; texts exactly as the environment held them. */
export interface TelemetrySwitches {
  /** `--disable-telemetry-upload` was given. */
  readonly disableFlag: boolean;
  /** `INFLUXDB3_TELEMETRY_DISABLE_UPLOAD`. */
  readonly disableEnv: string | undefined;
  /** `INFLUXDB3_DISABLE_TELEMETRY_UPLOAD`. */
  readonly disableEnvNew: string | undefined;
  /** `DO_NOT_TRACK`. */
  readonly doNotTrack: string | undefined;
  /** `CI`. */
  readonly ci: string | undefined;
  /** Base URL: `--telemetry-endpoint`, its variable, or the default. */
  readonly endpoint: string;
  /** The user chose the endpoint. */
  readonly endpointExplicit: boolean;
  /** `influxdb3 telemetry off` was given to this node. */
  readonly storedOff?: boolean;
}

/** Whether telemetry runs, and why: one phrase that start line, command line and page print after the state, as in `off: <reason>`. */
export interface TelemetryResolution {
  readonly state: 'on' | 'off';
  readonly reason: string;
  /** The base URL as configured, without credentials; for display. */
  readonly endpoint: string;
  readonly target: Endpoint;
  /** For the log, once each. */
  readonly warnings: readonly string[];
}

/** Names of the variable in 3.10 and 3.11. Any of them true wins: a leftover must not undo an opt-out. */
const DISABLE_VARIABLE = 'INFLUXDB3_TELEMETRY_DISABLE_UPLOAD';
const DISABLE_VARIABLE_NEW = 'INFLUXDB3_DISABLE_TELEMETRY_UPLOAD';

/** Decides once, at start, whether telemetry runs. Privacy wins every doubt. */
export function resolveTelemetry(switches: TelemetrySwitches): TelemetryResolution {
  const warnings: string[] = [];
  const offReason = findOffReason(switches, warnings);
  const target = resolveEndpoint(switches.endpoint);
  const state = offReason === undefined ? 'on' : 'off';
  const reason = offReason === undefined ? onReason(target) : `${offReason}, so nothing is collected or sent`;
  return { state, reason, endpoint: displayEndpoint(switches.endpoint), target, warnings };
}

function onReason(target: Endpoint): string {
  if (target.kind === 'unusable') return `usage is counted, but ${target.problem}`;
  const { origin } = new URL(target.url);
  return `usage figures go to ${origin} once an hour; --disable-telemetry-upload or ${DISABLE_VARIABLE}=true switches it off`;
}

function findOffReason(switches: TelemetrySwitches, warnings: string[]): string | undefined {
  const byVariable = [
    readDisableVariable(DISABLE_VARIABLE, switches.disableEnv, warnings),
    readDisableVariable(DISABLE_VARIABLE_NEW, switches.disableEnvNew, warnings),
  ].find((reason) => reason !== undefined);
  if (switches.disableFlag) return '--disable-telemetry-upload is set';
  if (byVariable !== undefined) return byVariable;
  const doNotTrack = switches.doNotTrack?.trim() ?? '';
  if (doNotTrack !== '' && doNotTrack !== '0') return 'DO_NOT_TRACK is set';
  const ci = switches.ci?.trim().toLowerCase() ?? '';
  const isCi = ci !== '' && ci !== '0' && ci !== 'false';
  if (isCi && !switches.endpointExplicit) return 'CI is set and no telemetry endpoint was given';
  if (switches.storedOff === true) return '`influxdb3 telemetry off` was given';
  return undefined;
}

const TRUE_WORDS: readonly string[] = ['true', '1', 'yes', 'on', 't', 'y'];
const FALSE_WORDS: readonly string[] = ['false', '0', 'no', 'off', 'f', 'n', ''];

function readDisableVariable(name: string, text: string | undefined, warnings: string[]): string | undefined {
  const word = text?.trim().toLowerCase();
  if (word === undefined || FALSE_WORDS.includes(word)) return undefined;
  if (TRUE_WORDS.includes(word)) return `${name} is set`;
  warnings.push(`${name} has a value that is neither true nor false; telemetry is off to be safe`);
  return `${name} has a value that is neither true nor false`;
}

/** Base URL for people to read: no user name, no password, no query. */
function displayEndpoint(base: string): string {
  try {
    const url = new URL(base);
    return `${url.protocol}//${url.host}${url.pathname === '/' ? '' : url.pathname}`;
  } catch {
    return '(not a valid URL)';
  }
}
