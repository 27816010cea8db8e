import { DEFAULT_TELEMETRY_ENDPOINT, type Endpoint, resolveEndpoint } from './endpoint.ts';

/** Everything that can switch telemetry off. */
export interface TelemetrySwitches {
  /** `--disable-telemetry-upload` was given. */
  readonly flag: boolean;
  /** The process environment; only the names below are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Value of `--telemetry-endpoint` or its variable; undefined = not given. */
  readonly endpoint?: string | undefined;
}

/** Whether telemetry runs, and why, in one sentence that the start line, the command line and the page all print. */
export interface TelemetryResolution {
  readonly state: 'on' | 'off';
  readonly reason: string;
  /** The base URL as configured, without credentials; for display. */
  readonly endpoint: string;
  readonly target: Endpoint;
  /** For the log, once each. */
  readonly warnings: readonly string[];
}

/** Both spellings of the variable (3.10 and 3.11). Any of them true wins: a leftover must not undo an opt-out. */
export const DISABLE_VARIABLES = ['INFLUXDB3_TELEMETRY_DISABLE_UPLOAD', 'INFLUXDB3_DISABLE_TELEMETRY_UPLOAD'] as const;

/** Decides once, at start, whether telemetry runs. Privacy wins every doubt (spec telemetry 11). */
export function resolveTelemetry(switches: TelemetrySwitches): TelemetryResolution {
  const warnings: string[] = [];
  const offReason = findOffReason(switches, warnings);
  const base = switches.endpoint ?? DEFAULT_TELEMETRY_ENDPOINT;
  const target = resolveEndpoint(base);
  const state = offReason === undefined ? 'on' : 'off';
  const reason = offReason === undefined ? onReason(target) : `Telemetry is off: ${offReason}, so nothing is collected or sent.`;
  return { state, reason, endpoint: displayEndpoint(base), target, warnings };
}

function onReason(target: Endpoint): string {
  if (target.kind === 'unusable') return `Telemetry is on, but ${target.problem}.`;
  return `Telemetry is on: usage figures go to ${new URL(target.url).origin} at start and once an hour; --disable-telemetry-upload or ${DISABLE_VARIABLES[0]}=true switches it off.`;
}

function findOffReason(switches: TelemetrySwitches, warnings: string[]): string | undefined {
  const { env } = switches;
  const variable = DISABLE_VARIABLES.map((name) => readDisableVariable(name, env[name], warnings)).find((reason) => reason !== undefined);
  if (switches.flag) return '--disable-telemetry-upload is set';
  if (variable !== undefined) return variable;
  const doNotTrack = env['DO_NOT_TRACK']?.trim() ?? '';
  if (doNotTrack !== '' && doNotTrack !== '0') return 'DO_NOT_TRACK is set';
  const ci = env['CI']?.trim().toLowerCase() ?? '';
  const isCi = ci !== '' && ci !== '0' && ci !== 'false';
  if (isCi && switches.endpoint === undefined) return 'CI is set and no telemetry endpoint was given';
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
