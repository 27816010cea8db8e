import type { Clock } from '../../../shared/clock.ts';
import type { InfluxError } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/logger.ts';

const QUIET_MS = 60_000;

/** Kinds of failures remembered at once; when full, the oldest is forgotten. */
const KINDS_MAX = 100;

/** Logs failures that are the server's own: each kind once a minute, with the number of those left out since. */
export class ErrorLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #kinds = new Map<string, { loggedAtMs: number; suppressed: number }>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** A catalogue error with a 5xx status. */
  known(error: InfluxError): void {
    const suppressed = this.#admit(error.code);
    if (suppressed === undefined) return;
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    this.#logger.warn('request failed', { code: error.code, error: error.message, cause, suppressed });
  }

  /** Anything else: a bug. */
  unexpected(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const suppressed = this.#admit(error instanceof Error ? `${error.name}: ${error.message}` : text);
    if (suppressed !== undefined) this.#logger.error('unexpected error while answering a request', { error: text, suppressed });
  }

  /** A TLS connection that was never made; code and reason are OpenSSL's. */
  handshake(error: NodeJS.ErrnoException & { readonly reason?: string }, source: string | undefined): void {
    const suppressed = this.#admit(`TLS ${error.code}`);
    if (suppressed === undefined) return;
    const plain = error.code === 'ERR_SSL_HTTP_REQUEST';
    const reason = plain ? 'plain http request, but this server speaks https only' : (error.reason ?? error.message);
    this.#logger.error(`TLS handshake failed: ${reason}`, { source, suppressed });
  }

  /** How many of this kind were left out before, or undefined when this one is left out too. */
  #admit(kind: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#kinds.get(kind);
    if (known !== undefined && nowMs - known.loggedAtMs < QUIET_MS) {
      known.suppressed++;
      return undefined;
    }
    this.#kinds.delete(kind);
    const oldest = this.#kinds.keys().next();
    if (this.#kinds.size >= KINDS_MAX && oldest.done !== true) this.#kinds.delete(oldest.value);
    this.#kinds.set(kind, { loggedAtMs: nowMs, suppressed: 0 });
    return known?.suppressed ?? 0;
  }
}
