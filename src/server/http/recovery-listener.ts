import { type Clock, systemClock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { CreatedToken } from './admin-service.ts';
import { type AnyRequest, type AnyResponse, defaultHttpLimits, type TlsSettings } from './dependencies.ts';
import { ErrorLog } from './error-log.ts';
import { toInfluxError } from './error-response.ts';
import { Port } from './port.ts';
import { splitTarget } from './query-string.ts';
import { tokenText } from './routes/tokens.ts';

const REGENERATE_PATH = '/api/v3/configure/token/admin/regenerate';

export interface RecoveryListenerOptions {
  readonly regenerate: () => Promise<CreatedToken>;
  readonly tls: TlsSettings | undefined;
  readonly clock?: Clock;
  readonly logger: Logger;
}

/**
 * Second socket that regenerates the operator token without authentication (auth.md 8), once: after a success it shuts
 * down, after a failure it stays.
 */
export class RecoveryListener {
  readonly #options: RecoveryListenerOptions;
  readonly #port: Port;
  readonly #errorLog: ErrorLog;

  constructor(options: RecoveryListenerOptions) {
    this.#options = options;
    this.#errorLog = new ErrorLog(options.clock ?? systemClock, options.logger);
    const handler = (request: AnyRequest, response: AnyResponse): void => {
      request.resume();
      void this.#answer(request, response);
    };
    this.#port = new Port({ handler, limits: defaultHttpLimits, tls: options.tls });
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
    if (!isRegenerate) return finish(response, 404, 'not found');
    try {
      const created = await this.#options.regenerate();
      response.once('close', () => void this.close());
      finish(response, 201, tokenText(created));
      this.#options.logger.warn('operator token was regenerated through the recovery endpoint, which closes now');
    } catch (error) {
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
