/** Where other servers report to. */
export const TELEMETRY_RECEIVER = '/telem';

/** The telemetry page. */
export const TELEMETRY_PAGE = '/telemetry';

/** Its script and its style. */
export const TELEMETRY_SCRIPT = '/telemetry/page.js';
export const TELEMETRY_STYLE = '/telemetry/page.css';

/** The explorer page, its script and its style. */
export const EXPLORER_PAGE = '/';
export const EXPLORER_SCRIPT = '/explorer/app.js';
export const EXPLORER_STYLE = '/explorer/app.css';

/**
 * Every path that the gate before all routes treats unlike the others. Gate, routes and options go by this table, and
 * docs/api.md, "Paths with rules of their own", lists it.
 */
export const GATE_PATHS = [
  { path: EXPLORER_PAGE, rule: 'shell' },
  { path: EXPLORER_SCRIPT, rule: 'shell' },
  { path: EXPLORER_STYLE, rule: 'shell' },
  { path: TELEMETRY_SCRIPT, rule: 'shell' },
  { path: TELEMETRY_STYLE, rule: 'shell' },
  { path: TELEMETRY_PAGE, rule: 'page' },
  { path: '/write', rule: 'token-in-url' },
  { path: '/query', rule: 'token-in-url' },
  { path: '/ping', rule: 'token-in-url' },
  { path: '/api/v3/configure/token', rule: 'closed-without-auth' },
  { path: '/api/v3/enterprise/configure/token', rule: 'closed-without-auth' },
  { path: '/api/v3/configure/token/admin', rule: 'first-token' },
  { path: '/health', rule: 'openable', word: 'health' },
  { path: '/api/v1/health', rule: 'openable', word: 'health' },
  { path: '/ping', rule: 'openable', word: 'ping' },
  { path: '/metrics', rule: 'openable', word: 'metrics' },
  { path: '/ready', rule: 'openable', word: 'ready' },
  { path: '/debug/pprof/heap', rule: 'openable', word: 'pprof' },
  { path: TELEMETRY_RECEIVER, rule: 'receiver' },
] as const;

/**
 * - `shell`: needs no token: files that are the same for everybody and hold no data
 * - `page`: people open it in a browser, which gets the login; other programs are asked for a password, which is the token
 * - `token-in-url`: the parameter `p` may carry the token
 * - `closed-without-auth`: it and what is below it answer 405 when the server runs with `--without-auth`
 * - `first-token`: needs no token on the machine of the server; the endpoint itself refuses once there is an operator token
 * - `openable`: needs no token when `--disable-authz` has the word
 * - `receiver`: needs no token with `--telemetry-receiver`: servers that report carry none
 */
export type GateRule = (typeof GATE_PATHS)[number]['rule'];

/** Words of `--disable-authz`. `node_stop` names an endpoint that does not exist here. */
export const OPEN_WORDS = ['health', 'ping', 'metrics', 'ready', 'pprof', 'node_stop'] as const;

export type OpenWord = (typeof OPEN_WORDS)[number];

/** Paths with a rule. */
export function pathsWith(rule: GateRule): readonly string[] {
  return GATE_PATHS.filter((entry) => entry.rule === rule).map(({ path }) => path);
}

/** Paths that words of `--disable-authz` open. */
export function openedBy(words: readonly OpenWord[]): ReadonlySet<string> {
  return new Set(GATE_PATHS.filter((entry) => entry.rule === 'openable' && words.includes(entry.word)).map(({ path }) => path));
}
