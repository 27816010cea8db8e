import { createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { emptyDirectory } from './bucket-servers.ts';
import { startFakeService, wholeBody } from './fake-service.ts';

/** What a request asks for, before it is carried out. */
export interface FakeGoogleRequest {
  readonly method: 'PUT' | 'GET' | 'HEAD' | 'LIST' | 'DELETE';
  /** Empty for LIST. */
  readonly key: string;
  /** The header. */
  readonly authorization: string;
}

/**
 * What happens to a request instead of a plain answer. `answer lost` = it takes place, and the connection ends; `no answer` = it does not take
 * place, and its connection stays open.
 */
export type FakeGoogleFault =
  | 'no answer'
  | 'request lost'
  | 'answer lost'
  | { readonly status: number; readonly reason: string; readonly date?: string; readonly message?: string };

interface LiveObject {
  readonly bytes: Buffer;
  readonly generation: bigint;
  readonly metageneration: bigint;
  readonly timeCreated: string;
}

interface Asked extends FakeGoogleRequest {
  readonly url: URL;
  readonly range: string | undefined;
  readonly body: Buffer;
}

const EMAIL = 'writer@project.iam.gserviceaccount.com';

let key: { readonly publicKey: KeyObject; readonly pem: string } | undefined;

/** Key of the account of all fakes of a process: making one takes long. */
function accountKey(): NonNullable<typeof key> {
  if (key === undefined) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    key = { publicKey: createPublicKey(privateKey), pem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
  }
  return key;
}

/**
 * The part of the JSON API of Google Cloud Storage that the server uses, in this process: generations and their preconditions,
 * ranges, sorted lists in pages, tokens that an account signs itself. A fake of our own, with faults.
 */
export class FakeGoogle {
  readonly url: string;
  readonly bucket = 'bucket';
  readonly objects = new Map<string, LiveObject>();
  fault: (request: FakeGoogleRequest) => FakeGoogleFault | undefined = () => undefined;
  /** As no real service of Google's does: preconditions mean nothing. */
  ignoresConditions = false;
  /** Tokens that are taken besides those that the account signed. */
  readonly tokens = new Set<string>();
  /** Requests without authorization are served, as emulators do. */
  open = false;
  #generation = BigInt(Date.now()) * 1000n;

  private constructor(url: string) {
    this.url = url;
  }

  static async start(t: { after(fn: () => Promise<void>): void }): Promise<FakeGoogle> {
    const { server, url } = await startFakeService(t);
    const fake = new FakeGoogle(url);
    server.on('request', (request, response) => void fake.#handle(request, response));
    return fake;
  }

  /** Writes a key file of an account that may use the bucket; `fields` change it. */
  async keyFile(t: { after(fn: () => Promise<void>): void }, fields: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const path = join(await emptyDirectory(t), 'account.json');
    const account = { type: 'service_account', client_email: EMAIL, private_key_id: 'id', private_key: accountKey().pem };
    await writeFile(path, JSON.stringify({ ...account, ...fields }));
    return path;
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await wholeBody(request);
    if (body === undefined) return;
    const url = new URL(request.url ?? '', this.url);
    const [, bucket = '', name] = /\/storage\/v1\/b\/([^/]+)\/o(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
    const upload = url.pathname.startsWith('/upload/');
    const key = (upload ? url.searchParams.get('name') : name === undefined ? '' : decodeURIComponent(name)) ?? '';
    const isHead = request.method === 'GET' && url.searchParams.get('alt') !== 'media';
    const method = upload ? 'PUT' : key === '' ? 'LIST' : isHead ? 'HEAD' : (request.method as 'GET' | 'DELETE');
    const { authorization = '', range } = request.headers;
    const fault = this.fault({ method, key, authorization });
    if (fault === 'no answer') return;
    if (fault === 'request lost') return void request.socket.destroy();
    if (typeof fault === 'object') return void fail(response, fault.status, fault.reason, fault.message ?? fault.reason, fault.date);
    if (!this.#authorized(authorization)) return void fail(response, 401, 'authError', 'Invalid Credentials');
    if (bucket !== this.bucket) return void fail(response, 404, 'notFound', 'The specified bucket does not exist.');
    const asked: Asked = { method, key, authorization, url, range, body };
    if (fault === 'answer lost') {
      this.#change(asked);
      return void request.socket.destroy();
    }
    this.#answer(asked, response);
  }

  #authorized(authorization: string): boolean {
    if (this.open) return true;
    const token = authorization.replace(/^Bearer /, '');
    if (this.tokens.has(token)) return true;
    const [header = '', claims = '', signature = ''] = token.split('.');
    const signed = Buffer.from(`${header}.${claims}`);
    if (!verify('RSA-SHA256', signed, accountKey().publicKey, Buffer.from(signature, 'base64url'))) return false;
    const { exp, iat, iss, scope, sub } = JSON.parse(Buffer.from(claims, 'base64url').toString('utf8')) as Record<string, unknown>;
    const now = Date.now() / 1000;
    const inTime = Number(iat) <= now + 60 && now < Number(exp) && Number(exp) - Number(iat) <= 3600;
    return inTime && iss === EMAIL && sub === EMAIL && String(scope).startsWith('https://www.googleapis.com/auth/devstorage.');
  }

  #answer(asked: Asked, response: ServerResponse): void {
    if (asked.method === 'LIST') return void this.#list(asked.url, response);
    const found = this.objects.get(asked.key);
    if (found === undefined && asked.method !== 'PUT') return void this.#missing(asked, response);
    const refusal = this.#refusal(asked, found);
    if (refusal === 304) return void response.writeHead(304).end();
    if (refusal === 412)
      return void fail(response, 412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.');
    this.#change(asked);
    if (asked.method === 'DELETE') return void response.writeHead(204).end();
    if (asked.method === 'GET' && found !== undefined) return void content(response, found.bytes, asked.range);
    send(response, 200, this.#resource(asked.key));
  }

  /** Carries out a put or a delete whose preconditions hold. */
  #change({ body, key, method, url }: Asked): void {
    if (this.#refusal({ url, method }, this.objects.get(key)) !== undefined) return;
    if (method === 'DELETE') this.objects.delete(key);
    if (method === 'PUT')
      this.objects.set(key, { bytes: body, generation: ++this.#generation, metageneration: 1n, timeCreated: new Date().toISOString() });
  }

  /** 412, or 304 for reads, when a precondition does not hold. A key without an object has the generation 0. */
  #refusal({ method, url }: Pick<Asked, 'method' | 'url'>, found: LiveObject | undefined): 304 | 412 | undefined {
    if (this.ignoresConditions) return undefined;
    const wanted = (name: string): bigint | undefined => {
      const value = url.searchParams.get(name);
      return value === null ? undefined : BigInt(value);
    };
    const { generation = 0n, metageneration = 0n } = found ?? {};
    for (const [name, actual] of [
      ['ifGenerationMatch', generation],
      ['ifMetagenerationMatch', metageneration],
    ] as const) {
      const expected = wanted(name);
      if (expected !== undefined && expected !== actual) return 412;
    }
    for (const [name, actual] of [
      ['ifGenerationNotMatch', generation],
      ['ifMetagenerationNotMatch', metageneration],
    ] as const) {
      if (wanted(name) === actual) return method === 'GET' || method === 'HEAD' ? 304 : 412;
    }
    return undefined;
  }

  /** Downloads fail with a plain text. */
  #missing({ key, method }: Asked, response: ServerResponse): void {
    const message = `No such object: ${this.bucket}/${key}`;
    if (method !== 'GET') return void fail(response, 404, 'notFound', message);
    response.writeHead(404, { 'content-type': 'text/html; charset=UTF-8' }).end(message);
  }

  #list(url: URL, response: ServerResponse): void {
    const get = (name: string): string => url.searchParams.get(name) ?? '';
    const after = Buffer.from(get('pageToken'), 'base64').toString('utf8');
    const all = [...this.objects.keys()]
      .filter((key) => key.startsWith(get('prefix')) && key >= get('startOffset') && (after === '' || key > after))
      .sort();
    const page = all.slice(0, Math.min(1000, Number(url.searchParams.get('maxResults') ?? 1000)));
    const more = all.length > page.length ? { nextPageToken: Buffer.from(page.at(-1) ?? '').toString('base64') } : {};
    const items = page.length === 0 ? {} : { items: page.map((key) => this.#resource(key)) }; // none is left out
    send(response, 200, { kind: 'storage#objects', ...more, ...items });
  }

  #resource(name: string): Record<string, string> {
    const { bytes, generation, metageneration, timeCreated } = this.objects.get(name) as LiveObject;
    const numbers = { generation: String(generation), metageneration: String(metageneration), size: String(bytes.length) };
    return { kind: 'storage#object', name, bucket: this.bucket, timeCreated, ...numbers };
  }
}

function content(response: ServerResponse, bytes: Buffer, range: string | undefined): void {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  if (first !== undefined && Number(first) >= bytes.length) {
    return void fail(response, 416, 'requestedRangeNotSatisfiable', 'The requested range cannot be satisfied.');
  }
  const part = first === undefined ? bytes : bytes.subarray(Number(first), Number(last) + 1);
  response.writeHead(first === undefined ? 200 : 206, { 'content-length': part.length }).end(part);
}

function send(response: ServerResponse, status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers }).end(JSON.stringify(value));
}

function fail(response: ServerResponse, status: number, reason: string, message: string, date?: string): void {
  const error = { code: status, message, errors: [{ message, domain: 'global', reason }] };
  send(response, status, { error }, date === undefined ? {} : { date });
}
