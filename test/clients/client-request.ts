/** What the tables of client requests share. */

export interface ClientRequest {
  readonly client: string;
  readonly what: string;
  /** Method and target. */
  readonly line: string;
  /** `TOKEN` stands for the token. `BASIC` for it as a password of Basic authentication. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
  /** Headers of the answer. */
  readonly answers?: Readonly<Record<string, string | RegExp>>;
  /** Body of the answer; a string is the whole of it. */
  readonly text?: string | RegExp;
}

export const FORM = 'application/x-www-form-urlencoded';
export const JSON_TYPE = { 'content-type': 'application/json' };
export const DONE = '{"results":[{"statement_id":0}]}';
export const AT = '1700000000000000000';

const esc = (text: string): string => encodeURIComponent(text).replace(/%20/g, '+');
/** A query string. */
export const query = (params: Readonly<Record<string, string>>): string =>
  Object.entries(params)
    .map(([name, value]) => `${name}=${esc(value)}`)
    .join('&');

/** Headers that Go's client adds to every request. */
export const go = (agent: string, more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  'User-Agent': agent,
  ...more,
  'Accept-Encoding': 'gzip',
});
