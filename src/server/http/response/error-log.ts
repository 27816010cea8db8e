import type { Clock } from '../../../shared/clock.ts';
import type { InfluxError } from '../../../shared/errors.ts';
import type { Logger } from '../../../shared/logger.ts';
import { QuietLog } from '../../../shared/quiet-log.ts';

/** Kinds of failures remembered at once. */
const KINDS_MAX = 100;

/** Logs failures that are the server's own: each kind once a minute, with the number of those left out since. */
export class ErrorLog {
  readonly #logger: Logger;
  readonly #quiet: QuietLog;

  constructor(clock: Clock, logger: Logger) {
    this.#logger = logger;
    this.#quiet = new QuietLog(clock, KINDS_MAX);
  }

  /** A catalogue error with a 5xx status. */
  known(error: InfluxError): void {
    const suppressed = this.#quiet.admit(error.code);
    if (suppressed === undefined) return;
    const cause = error.cause instanceof Error ? error.cause.message : undefined;
    this.#logger.warn('request failed', { code: error.code, error: error.message, cause, suppressed });
  }

  /** Anything else: a bug. */
  unexpected(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const suppressed = this.#quiet.admit(error instanceof Error ? `${error.name}: ${error.message}` : text);
    if (suppressed !== undefined) this.#logger.error('unexpected error while answering a request', { error: text, suppressed });
  }

  /** A TLS connection that was never made; code and reason are OpenSSL's. */
  handshake(error: NodeJS.ErrnoException & { readonly reason?: string }, source: string | undefined): void {
    const suppressed = this.#quiet.admit(`TLS ${error.code}`);
    if (suppressed === undefined) return;
    const plain = error.code === 'ERR_SSL_HTTP_REQUEST';
    const reason = plain ? 'plain http request, but this server speaks https only' : (error.reason ?? error.message);
    this.#logger.error(`TLS handshake failed: ${reason}`, { source, suppressed });
  }
}
