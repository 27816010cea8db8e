import type { CreatedToken } from '../../admin/admin-service.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import { type AnyRequest, type AnyResponse, defaultHttpLimits, type TlsSettings } from './dependencies.ts';
import { splitTarget } from './request/query-string.ts';
import { ErrorLog } from './response/error-log.ts';
import { toInfluxError } from './response/error-response.ts';
import { tokenText } from './routes/tokens.ts';
import { Port } from './transport/port.ts';

const REGENERATE_PATH = '/api/v3/configure/token/admin/regenerate';

export interface RecoveryListenerOptions {
  readonly regenerate: () => Promise<CreatedToken>;
  readonly tls: TlsSettings | undefined;
  readonly clock?: Clock;
  readonly logger: Logger;
}

/**
 * Second socket that regenerates the operator token without authentication, once: after a success it shuts
 * down, after a failure it stays.
 */
export class RecoveryListener {
  readonly #options: RecoveryListenerOptions;
  readonly #port: Port;
  readonly #errorLog: ErrorLog;
  /** A second token would make the first one, which its owner has just read, worthless. */
  #spent = false;

  constructor(options: RecoveryListenerOptions) {
    this.#options = options;
    this.#errorLog = new ErrorLog(options.clock ?? systemClock, options.logger);
    const handler = (request: AnyRequest, response: AnyResponse): void => {
      request.resume();
      void this.#answer(request, response);
    };
    this.#port = new Port({ handler, limits: defaultHttpLimits, tls: options.tls, errorLog: this.#errorLog });
  }

  async listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    const bound = await this.#port.listen(host, port);
    this.#options.logger.warn('admin token recovery endpoint is open and needs no authentication', bound);
    return bound;
  }

  /** Idempotent; also safe after the listener shut itself down. */
  close(): Promise<void> {
    return this.#port.close();
  }

  async #answer(request: AnyRequest, response: AnyResponse): Promise<void> {
    const isRegenerate = request.method === 'POST' && splitTarget(request.url ?? '/').path === REGENERATE_PATH;
    if (!isRegenerate || this.#spent) return finish(response, 404, 'not found');
    this.#spent = true;
    // Asked for before the work: the client may be gone after it.
    const done = new Promise<void>((resolve) => response.once('close', resolve));
    try {
      const created = await this.#options.regenerate();
      void done.then(() => this.close());
      finish(response, 201, tokenText(created));
      this.#options.logger.warn('operator token was regenerated through the recovery endpoint, which closes now');
    } catch (error) {
      this.#spent = false;
      const { status, message } = toInfluxError(error, this.#errorLog);
      finish(response, status, message);
    }
  }
}

function finish(response: AnyResponse, status: number, text: string): void {
  const body = Buffer.from(text);
  response.statusCode = status;
  if (status < 300) response.setHeader('access-control-allow-origin', '*');
  response.setHeader('content-length', body.length);
  response.end(body);
}
