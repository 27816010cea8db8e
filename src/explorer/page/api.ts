import type { TextPosition } from './error-place.ts';

/** Name of the token in the storage of the tab, which forgets it when the tab is closed. */
const TOKEN_KEY = 'influxdb3-token';

/** The server refused a request, or could not be reached. */
export class ApiFailure extends Error {
  readonly status: number;
  readonly body: string;
  /** Where in a statement the mistake is: line and column, both from 1; undefined when the server does not say. */
  readonly position: TextPosition | undefined;

  constructor(status: number, body: string, position?: string | null) {
    super(messageOf(body) || `the server answered ${status}`);
    this.name = 'ApiFailure';
    this.status = status;
    this.body = body;
    const [line = 0, column = 0] = (position ?? '').split(':').map(Number);
    this.position = line > 0 && column > 0 ? { line, column } : undefined;
  }
}

export type Language = 'sql' | 'influxql';
export type Format = 'csv' | 'json' | 'json_lines' | 'parquet';

export interface QueryRequest {
  readonly db: string;
  readonly q: string;
  readonly language: Language;
  readonly format: Format;
}

/** Requests to the server that the page came from. A refused token asks for another one, once. */
export class Api {
  readonly #askToken: (wasRefused: boolean) => Promise<string>;

  constructor(askToken: (wasRefused: boolean) => Promise<string>) {
    this.#askToken = askToken;
  }

  get hasToken(): boolean {
    return sessionStorage.getItem(TOKEN_KEY) !== null;
  }

  forgetToken(): void {
    sessionStorage.removeItem(TOKEN_KEY);
  }

  /** Sends a request; throws `ApiFailure` for everything but success. */
  async send(path: string, init: RequestInit = {}): Promise<Response> {
    for (;;) {
      const token = sessionStorage.getItem(TOKEN_KEY);
      const headers = new Headers(init.headers);
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      const response = await this.#fetch(path, { ...init, headers });
      if (response.ok) return response;
      if (response.status !== 401)
        throw new ApiFailure(response.status, await response.text(), response.headers.get('x-influxdb-error-position'));
      sessionStorage.setItem(TOKEN_KEY, await this.#askToken(token !== null));
    }
  }

  async text(path: string, init?: RequestInit): Promise<string> {
    return (await this.send(path, init)).text();
  }

  async json<T>(path: string, init?: RequestInit): Promise<T> {
    return JSON.parse(await this.text(path, init)) as T;
  }

  query({ db, format, language, q }: QueryRequest, signal?: AbortSignal): Promise<Response> {
    const body = JSON.stringify({ db, q, format });
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' }, ...(signal === undefined ? {} : { signal }) };
    return this.send(`/api/v3/query_${language}`, init);
  }

  /** Rows of a small SQL query. */
  async rows(db: string, q: string): Promise<Record<string, unknown>[]> {
    return (await this.query({ db, q, language: 'sql', format: 'json' })).json() as Promise<Record<string, unknown>[]>;
  }

  async #fetch(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(path, { cache: 'no-store', credentials: 'omit', ...init });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new ApiFailure(0, 'the server cannot be reached: is it still running?');
    }
  }
}

/** The text of an error answer: its `error` or `message` if it is JSON that has one. */
function messageOf(body: string): string {
  try {
    const parsed = JSON.parse(body) as { error?: unknown; message?: unknown };
    const found = parsed.error ?? parsed.message;
    return typeof found === 'string' ? found : body;
  } catch {
    return body;
  }
}
