import { request } from 'node:http';
import { ServerError } from './server-error.ts';

/** Integers that a `number` cannot hold come as `bigint`; other types come as in JSON results; `time` ends in `Z`, as `Date` wants it. */
export type Value = string | number | bigint | boolean | null | readonly Value[] | { readonly [name: string]: Value };
export type Row = Readonly<Record<string, Value>>;

export interface WriteOptions {
  /** Unit of the timestamps. Default: `auto`, by their size. */
  readonly precision?: 'auto' | 'nanosecond' | 'microsecond' | 'millisecond' | 'second' | undefined;
}

export interface QueryOptions {
  /** Values of `$name` in the query. */
  readonly params?: Readonly<Record<string, string | number | boolean | null>> | undefined;
}

/** A JSON string, or a number with all its parts. */
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Speaks HTTP to one server, one connection per request, so that nothing stays open. */
export class Client {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, token: string | undefined) {
    this.#url = url;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  async write(database: string, lines: string | readonly string[], options: WriteOptions): Promise<void> {
    const query = new URLSearchParams({ db: database, precision: options.precision ?? 'auto' });
    const answer = await this.#post(`/api/v3/write_lp?${query}`, typeof lines === 'string' ? lines : lines.join('\n'), 'text/plain');
    // Made here, behind an await, and not where the answer arrives: so its stack leads to whoever called.
    if (!answer.ok) throw new ServerError(answer.status, answer.text);
  }

  async query(database: string, sql: string, options: QueryOptions): Promise<Row[]> {
    const body = JSON.stringify({ db: database, q: sql, format: 'json', params: options.params });
    const answer = await this.#post('/api/v3/query_sql', body, 'application/json');
    if (!answer.ok) throw new ServerError(answer.status, answer.text);
    return parseRows(answer.text).map(withZone);
  }

  #post(path: string, body: string, contentType: string): Promise<{ ok: boolean; status: number; text: string }> {
    const headers = { ...this.#headers, 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const sent = request(new URL(path, this.#url), { method: 'POST', agent: false, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          resolve({ ok: status >= 200 && status < 300, status, text: Buffer.concat(chunks).toString() });
        });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?$/;

/** InfluxDB 3 writes times without a zone, which `Date` takes for local ones: they are UTC. */
function withZone(row: Row): Row {
  const { time } = row;
  return typeof time === 'string' && TIME.test(time) ? { ...row, time: `${time}Z` } : row;
}

/** Parses a JSON result without rounding integers. */
export function parseRows(text: string): Row[] {
  const marked = new Map<string, bigint>();
  const exact = text.replace(stringOrNumber, (part) => {
    if (part.length < 16 || part.startsWith('"') || !/^-?\d+$/.test(part) || Number.isSafeInteger(Number(part))) return part;
    return mark(text, marked, BigInt(part));
  });
  if (marked.size === 0) return JSON.parse(text) as Row[];
  return JSON.parse(exact, (_name, value: unknown) => (typeof value === 'string' ? (marked.get(value) ?? value) : value)) as Row[];
}

/** A JSON string that stands for a number and is no part of the text. */
function mark(text: string, marked: Map<string, bigint>, value: bigint): string {
  let name = `integer ${value}`;
  while (text.includes(name)) name = `${name} `;
  marked.set(name, value);
  return JSON.stringify(name);
}
