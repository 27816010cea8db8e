import { createHash } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startFakeService, wholeBody } from './fake-service.ts';

/** What a request asks for, before it is carried out. */
export interface FakeS3Request {
  readonly method: 'PUT' | 'GET' | 'HEAD' | 'LIST' | 'DELETE';
  /** Empty for LIST, and for a DELETE of several. */
  readonly key: string;
  /** The header. */
  readonly authorization: string;
  /** The header `x-amz-security-token`. */
  readonly sessionToken: string;
}

/** What happens to a request instead of a plain answer. `answer lost` = it takes place, and the connection ends. */
export type FakeS3Fault = 'request lost' | 'answer lost' | { readonly status: number; readonly code: string };

const LIST_MAX = 1000;

/** The part of S3 that the server uses, in this process: create-only puts, ranges, sorted lists in pages. A fake of our own, with faults. */
export class FakeS3 {
  readonly url: string;
  readonly objects = new Map<string, Buffer>();
  /** When each object was written, ms since 1970; a test may move it. */
  readonly modifiedMs = new Map<string, number>();
  /** Requests by method. */
  readonly counts = new Map<string, number>();
  fault: (request: FakeS3Request) => FakeS3Fault | undefined = () => undefined;
  /** As some services do: `If-None-Match` means nothing. */
  ignoresConditions = false;
  /** As some services do: no request deletes more than one object. */
  deletesEach = false;
  /** Before each answer, ms. */
  latencyMs = 0;
  readonly bucket = 'bucket';
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(t: { after(fn: () => Promise<void>): void }): Promise<FakeS3> {
    const { server, url } = await startFakeService(t);
    const fake = new FakeS3(server, url);
    server.on('request', (request, response) => void fake.#handle(request, response));
    return fake;
  }

  /** Flags of a server that keeps its data here. */
  get args(): string[] {
    return [
      ...['--object-store', 's3', '--bucket', this.bucket, '--aws-endpoint', this.url, '--aws-allow-http'],
      ...['--aws-access-key-id', 'key', '--aws-secret-access-key', 'secret-of-the-test'],
    ];
  }

  /** Ends all connections and refuses new ones, until the returned function is called. */
  async outage(): Promise<() => Promise<void>> {
    const { port } = this.#server.address() as AddressInfo;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
    return () => new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await wholeBody(request);
    if (body === undefined) return;
    const url = new URL(request.url ?? '', this.url);
    const path = decodeURIComponent(url.pathname).slice(1);
    const bucket = path.split('/')[0];
    const key = path.slice((bucket ?? '').length + 1);
    const isDeletes = request.method === 'POST' && url.searchParams.has('delete');
    const method = isDeletes ? 'DELETE' : request.method === 'GET' && key === '' ? 'LIST' : (request.method as FakeS3Request['method']);
    this.counts.set(method, (this.counts.get(method) ?? 0) + 1);
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    const { authorization = '', 'x-amz-security-token': sessionToken = '' } = request.headers;
    const fault = this.fault({ method, key, authorization, sessionToken: String(sessionToken) });
    if (fault === 'request lost') return void request.socket.destroy();
    if (typeof fault === 'object') return void fail(response, fault.status, fault.code);
    if (bucket !== this.bucket) return void fail(response, 404, 'NoSuchBucket');
    if (isDeletes && this.deletesEach) return void fail(response, 501, 'NotImplemented');
    if (isDeletes) {
      this.#deleteAll(body);
      if (fault === 'answer lost') return void request.socket.destroy();
      return void response.writeHead(200, { 'content-type': 'application/xml' }).end('<?xml version="1.0"?><DeleteResult></DeleteResult>');
    }
    if (fault === 'answer lost') {
      if (method === 'PUT') this.#put(key, body, request.headers['if-none-match'] === '*');
      if (method === 'DELETE') this.objects.delete(key);
      return void request.socket.destroy();
    }
    this.#answer(method, key, { url, range: request.headers.range, create: request.headers['if-none-match'] === '*' }, body, response);
  }

  #answer(
    method: FakeS3Request['method'],
    key: string,
    { url, range, create }: { readonly url: URL; readonly range: string | undefined; readonly create: boolean },
    body: Buffer,
    response: ServerResponse,
  ): void {
    if (method === 'LIST') return void this.#list(url, response);
    if (method === 'DELETE') {
      this.objects.delete(key);
      return void response.writeHead(204).end();
    }
    if (method === 'PUT') {
      if (!this.#put(key, body, create)) return void fail(response, 412, 'PreconditionFailed');
      return void response.writeHead(200, { etag: `"${createHash('md5').update(body).digest('hex')}"` }).end();
    }
    const found = this.objects.get(key);
    if (found === undefined) return void fail(response, 404, method === 'HEAD' ? '' : 'NoSuchKey');
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    if (first !== undefined && Number(first) >= found.length) return void fail(response, 416, 'InvalidRange');
    const part = first === undefined ? found : found.subarray(Number(first), Number(last) + 1);
    response.writeHead(first === undefined ? 200 : 206, { 'content-length': part.length });
    response.end(method === 'HEAD' ? undefined : part);
  }

  #deleteAll(body: Buffer): void {
    for (const [, key = ''] of body.toString('utf8').matchAll(/<Key>([^<]*)<\/Key>/g)) {
      this.objects.delete(
        key.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&apos;', "'").replaceAll('&amp;', '&'),
      );
    }
  }

  #put(key: string, body: Buffer, create: boolean): boolean {
    if (create && !this.ignoresConditions && this.objects.has(key)) return false;
    this.objects.set(key, body);
    this.modifiedMs.set(key, Date.now());
    return true;
  }

  #list(url: URL, response: ServerResponse): void {
    const prefix = url.searchParams.get('prefix') ?? '';
    const after = url.searchParams.get('continuation-token') ?? url.searchParams.get('start-after') ?? '';
    const all = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = all.slice(0, LIST_MAX);
    const contents = page
      .map((key) => {
        const modified = new Date(this.modifiedMs.get(key) ?? 0).toISOString();
        return `<Contents><Key>${xmlText(key)}</Key><Size>${this.objects.get(key)?.length}</Size><LastModified>${modified}</LastModified></Contents>`;
      })
      .join('');
    const more = all.length > page.length ? `<NextContinuationToken>${xmlText(page.at(-1) ?? '')}</NextContinuationToken>` : '';
    response.writeHead(200, { 'content-type': 'application/xml' });
    response.end(
      `<?xml version="1.0"?><ListBucketResult><IsTruncated>${all.length > page.length}</IsTruncated>${more}${contents}</ListBucketResult>`,
    );
  }
}

function xmlText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function fail(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' });
  response.end(code === '' ? undefined : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`);
}
