import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici';
import { type Environment, osReason } from '../../config/index.ts';
import type { ConnectionValues } from './connection.ts';
import { ApiError, CommandFailure, ConnectError } from './failure.ts';
import { connectHint, NOT_HTTP, placeHint, statusHint } from './hints.ts';

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is. */
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A success answer whose body is still on its way. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Talks to one server. */
export interface ApiClient {
  /** Sends and checks the status. Throws `ApiError`, `ConnectError`. The body must be read to its end. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** Sends and reads the whole body. */
  fetch(request: ApiRequest): Promise<{ readonly status: number; readonly body: Buffer }>;
  close(): Promise<void>;
}

/** Opens a client for `--host` and its companions. Throws `CommandFailure` for hosts and certificates that cannot be used. */
export function openClient(values: ConnectionValues, environment: Environment): ApiClient {
  const base = baseUrl(values.host);
  checkToken(values.token);
  return new UndiciClient(base, values.token === '' ? undefined : values.token, dispatcher(values, environment));
}

class UndiciClient implements ApiClient {
  readonly #base: URL;
  readonly #token: string | undefined;
  readonly #dispatcher: Dispatcher;

  constructor(base: URL, token: string | undefined, dispatcher: Dispatcher) {
    this.#base = base;
    this.#token = token;
    this.#dispatcher = dispatcher;
  }

  async send(request: ApiRequest): Promise<ApiAnswer> {
    const { statusCode, headers, body } = await this.#request(request);
    if (statusCode >= 200 && statusCode < 300) return { status: statusCode, body: this.#guarded(body, request) };
    const message = errorMessage(await readBody(this.#guarded(body, request)));
    const hint = statusHint(statusCode, this.#token !== undefined, message) ?? placeHint(headers['x-influxdb-error-position'], message);
    throw new ApiError(statusCode, STATUS_CODES[statusCode] ?? '', message, hint);
  }

  async fetch(request: ApiRequest): Promise<{ status: number; body: Buffer }> {
    const answer = await this.send(request);
    return { status: answer.status, body: await readBody(answer.body) };
  }

  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  async #request(request: ApiRequest): Promise<Dispatcher.ResponseData> {
    const query = new URLSearchParams(
      Object.entries(request.query ?? {}).filter((pair): pair is [string, string] => pair[1] !== undefined),
    );
    const text = query.toString();
    const json = request.json === undefined ? undefined : JSON.stringify(request.json);
    try {
      return await this.#dispatcher.request({
        origin: this.#base.origin,
        path: text === '' ? request.path : `${request.path}?${text}`,
        method: request.method,
        headers: {
          ...(this.#token === undefined ? undefined : { authorization: authorization(this.#token) }),
          ...(json === undefined ? undefined : { 'content-type': 'application/json' }),
          ...request.headers,
        },
        body: json ?? request.body ?? null,
        // compat: InfluxDB 3 Core client has no timeout; a query may take long.
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    } catch (error) {
      throw this.#connectError(request, error);
    }
  }

  async *#guarded(body: AsyncIterable<Uint8Array>, request: ApiRequest): AsyncIterable<Uint8Array> {
    try {
      yield* body;
    } catch (error) {
      throw this.#connectError(request, error);
    }
  }

  #connectError(request: ApiRequest, error: unknown): ConnectError {
    const hint = connectHint(errorCode(error), this.#base.origin);
    return new ConnectError(request.method, `${this.#base.origin}${request.path}`, hint, error);
  }
}

/** `basic:user:password` is a name with its password, for InfluxDB 1. */
function authorization(token: string): string {
  const basic = /^basic:(.*)$/.exec(token)?.[1];
  return basic === undefined ? `Bearer ${token}` : `Basic ${Buffer.from(basic).toString('base64')}`;
}

/** A token comes from a file or a variable, often with the line end behind it. */
function checkToken(token: string | undefined): void {
  if (token === undefined || /^[\x21-\x7e]*$/.test(token)) return;
  const what = /[\r\n]/.test(token) ? 'has a line end in it' : 'has a blank or another character that no header can carry';
  throw new CommandFailure(`the token ${what}`, {
    hint: 'look at --token or INFLUXDB3_AUTH_TOKEN: it is one word of visible characters, e.g. INFLUXDB3_AUTH_TOKEN="$(tr -d \'[:space:]\' < token.txt)"',
  });
}

function baseUrl(host: string): URL {
  const url = new URL(host);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new CommandFailure('base URL error: URL scheme is not allowed', {
      hint: 'write the host as http://name:port or https://name:port',
    });
  }
  return url;
}

function dispatcher(values: ConnectionValues, environment: Environment): Dispatcher {
  const tls = {
    rejectUnauthorized: !values.tlsNoVerify,
    ...(values.tlsCa === undefined ? undefined : { ca: [...rootCertificates, readCertificate(values.tlsCa)] }),
  };
  const httpProxy = environment['http_proxy'] ?? environment['HTTP_PROXY'];
  const httpsProxy = environment['https_proxy'] ?? environment['HTTPS_PROXY'];
  if (!httpProxy && !httpsProxy) return new Agent({ connect: tls });
  const noProxy = environment['no_proxy'] ?? environment['NO_PROXY'] ?? '';
  return new EnvHttpProxyAgent({ connect: tls, requestTls: tls, httpProxy: httpProxy ?? '', httpsProxy: httpsProxy ?? '', noProxy });
}

/** PEM text of a certificate file; DER is recognized by its name. */
function readCertificate(path: string): string {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    throw new CommandFailure(`io error: ${osReason(error)}`, { hint: `the certificate file ${path} cannot be read`, cause: error });
  }
  if (!path.toLowerCase().endsWith('.der')) {
    const text = content.toString('utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
    throw new CommandFailure('failed to build an http client: no PEM certificate in the file', {
      hint: `look at ${path}; DER files end in .der`,
    });
  }
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The `message` member of a JSON answer, else the whole text. */
function errorMessage(body: Buffer): string {
  const text = body.toString('utf8');
  try {
    const parsed: unknown = JSON.parse(text);
    const message = typeof parsed === 'object' && parsed !== null ? (parsed as { message?: unknown }).message : undefined;
    return typeof message === 'string' ? message : text;
  } catch {
    // Plain text answers are as good as JSON ones.
    return text;
  }
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: unknown };
  if (name === 'HTTPParserError') return NOT_HTTP;
  if (typeof code === 'string') return code;
  return cause === undefined ? '' : errorCode(cause);
}
