import { anySignal } from '../shared/signals.ts';
import { systemTimers, type Timers } from '../shared/timers.ts';

/** Whole attempt, redirects included. */
export const SEND_TIMEOUT_MS = 10_000;

const REDIRECTS_MAX = 3;

/** How an attempt ended. Any HTTP answer counts as sent, whatever its status. */
export type SendOutcome =
  | { readonly kind: 'answered'; readonly status: number }
  /** `error` is a code or a short phrase, never text from the other side. */
  | { readonly kind: 'failed'; readonly error: string };

/** Sends one body. Never rejects. */
export type SendTelemetry = (url: string, body: Uint8Array, signal: AbortSignal) => Promise<SendOutcome>;

export interface SenderDeps {
  /** For the proxy variables. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly timers?: Timers;
  /** PEM certificates to trust besides the usual ones. Tests only. */
  readonly extraCa?: string;
}

/** One POST with undici: one attempt, 10 s, certificates always checked, proxy variables honoured. Loads undici at the first use. */
export function createSender(deps: SenderDeps): SendTelemetry {
  const timers = deps.timers ?? systemTimers;
  return async (url, body, signal) => {
    const deadline = new AbortController();
    const cancel = timers.after(SEND_TIMEOUT_MS, () => deadline.abort());
    try {
      return await post(deps, url, body, anySignal(signal, deadline.signal));
    } catch (error) {
      if (deadline.signal.aborted) return { kind: 'failed', error: `no answer within ${SEND_TIMEOUT_MS / 1000} s` };
      if (signal.aborted) return { kind: 'failed', error: 'the server is stopping' };
      return { kind: 'failed', error: errorCode(error) };
    } finally {
      cancel();
    }
  };
}

async function post(deps: SenderDeps, url: string, body: Uint8Array, signal: AbortSignal): Promise<SendOutcome> {
  const { request } = (await import('undici')).default;
  const { createTelemetryDispatcher } = await import('./dispatcher.ts');
  const dispatcher = createTelemetryDispatcher(new URL(url), deps.env, deps.extraCa);
  try {
    let target = new URL(url);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await request(target, { method: 'POST', headers: { accept: '*/*' }, body, dispatcher, signal });
      answer.body.on('error', () => undefined).destroy();
      const next = redirectTarget(target, answer.statusCode, answer.headers['location']);
      if (next === undefined || redirects === REDIRECTS_MAX) return { kind: 'answered', status: answer.statusCode };
      target = next;
    }
  } finally {
    await dispatcher.destroy();
  }
}

/** Only redirects that keep the POST, from https to https on the same host and port. Everything else is an answer. */
function redirectTarget(from: URL, status: number, location: string | string[] | undefined): URL | undefined {
  if ((status !== 307 && status !== 308) || typeof location !== 'string') return undefined;
  if (!URL.canParse(location, from.href)) return undefined;
  const to = new URL(location, from.href);
  to.username = '';
  to.password = '';
  return from.protocol === 'https:' && to.protocol === 'https:' && to.host === from.host ? to : undefined;
}

/** The code of the innermost cause that has one: `ECONNREFUSED`, `DEPTH_ZERO_SELF_SIGNED_CERT`, `UND_ERR_SOCKET`. */
export function errorCode(error: unknown): string {
  let code = error instanceof Error ? error.name : 'unknown error';
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if ('code' in current && typeof current.code === 'string') code = current.code;
    current = current instanceof AggregateError ? current.errors[0] : current.cause;
  }
  return code;
}
