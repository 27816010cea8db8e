import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Agent } from 'undici';
import { assert } from '../../shared/assert.ts';
import { anySignal, unlessAborted } from '../../shared/signals.ts';
import { type BucketAnswer, type BucketRequest, type BucketService, NoCredentials, queryText, ServiceError } from './bucket-service.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { deleteEach } from './delete-each.ts';
import {
  type BucketStore,
  isObjectKey,
  type ObjectEntry,
  ObjectStoreError,
  type PutCondition,
  RequestCounts,
  type RequestMethod,
} from './object-store.ts';
import { withRetries } from './retries.ts';
import { Slots } from './slots.ts';
import { type BucketOperation, bucketFailure, networkFailure, type ServiceFailure } from './store-failures.ts';

type Body = Uint8Array | { readonly path: string; readonly sizeBytes: number };

/** Objects of a bucket of a service that is asked with plain HTTP requests. */
export class HttpObjectStore implements BucketStore {
  readonly requests = new RequestCounts();
  readonly #service: BucketService;
  readonly #prefix: string;
  readonly #options: ConnectionOptions;
  readonly #agent: Agent;
  /** The time of a request begins when it has a connection. */
  readonly #slots: Slots;
  readonly #ended = new AbortController();

  /** @param prefix before every key, `/` at its end */
  constructor(service: BucketService, prefix: string, options: ConnectionOptions) {
    const { connectionLimit, requestTimeoutMs, tlsAllowInsecure, tlsRoots } = options;
    this.#service = service;
    this.#prefix = prefix;
    this.#options = options;
    this.#slots = new Slots(connectionLimit);
    this.#agent = new Agent({
      connections: connectionLimit,
      headersTimeout: requestTimeoutMs,
      bodyTimeout: requestTimeoutMs,
      connect: {
        timeout: requestTimeoutMs,
        rejectUnauthorized: !tlsAllowInsecure,
        ...(tlsRoots === undefined ? {} : { ca: [...tlsRoots] }),
      },
    });
  }

  put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void> {
    const put = (): Promise<void> => this.#put(key, bytes, condition);
    return condition === 'create' ? put() : this.#repeated(put);
  }

  putFile(key: string, path: string, sizeBytes: number): Promise<void> {
    return this.#repeated(() => this.#put(key, { path, sizeBytes }, 'overwrite'));
  }

  async #put(key: string, body: Body, condition: PutCondition): Promise<void> {
    const answer = await this.#send('PUT', key, this.#service.put(this.#full(key), condition), body);
    if (!this.#service.isStored(answer))
      throw this.#failed('PUT', key, new Error(`the answer (status ${answer.status}) is not that of the service`));
  }

  get(key: string): Promise<Uint8Array> {
    return this.#read(key, undefined);
  }

  async getRange(key: string, start: number, length: number): Promise<Uint8Array> {
    if (length <= 0) return new Uint8Array(0);
    try {
      return await this.#read(key, `bytes=${start}-${start + length - 1}`);
    } catch (error) {
      if (error instanceof ObjectStoreError && error.cause instanceof ServiceError && error.cause.status === 416) return new Uint8Array(0);
      throw error;
    }
  }

  async #read(key: string, range: string | undefined): Promise<Uint8Array> {
    const request = this.#service.get(this.#full(key), range);
    const { body, status } = await this.#repeated(() => this.#send('GET', key, request));
    if (range !== undefined && status !== 206)
      throw this.#failed('GET', key, new Error(`the service does not give parts of objects (status ${status})`));
    return body;
  }

  async head(key: string): Promise<{ readonly sizeBytes: number }> {
    const request = this.#service.head(this.#full(key));
    const answer = await this.#repeated(() => this.#send('HEAD', key, request));
    return { sizeBytes: this.#understood('HEAD', key, () => this.#service.sizeOf(answer)) };
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<string> {
    for await (const { key } of this.entries(prefix, startAfter)) yield key;
  }

  async *entries(prefix: string, startAfter = ''): AsyncGenerator<ObjectEntry> {
    const after = startAfter === '' ? '' : this.#prefix + startAfter;
    let marker: string | undefined;
    let last = '';
    do {
      const request = this.#service.list(this.#prefix + prefix, after, marker);
      const answer = await this.#repeated(() => this.#send('LIST', undefined, request));
      const { entries, next } = this.#understood('LIST', undefined, () => this.#service.page(answer));
      for (const entry of entries) {
        if (entry.key <= last) throw this.#failed('LIST', undefined, new Error(OTHER_ORDER));
        last = entry.key;
        if (last > after) yield { ...entry, key: last.slice(this.#prefix.length) };
      }
      marker = next;
    } while (marker !== undefined);
  }

  delete(keys: readonly string[]): Promise<void> {
    return deleteEach(keys, (key) => {
      const request = this.#service.remove(this.#full(key));
      return this.#repeated(() => this.#send('DELETE', key, request));
    });
  }

  async move(from: string, to: string): Promise<void> {
    await this.put(to, await this.get(from), 'overwrite');
    await this.delete([from]);
  }

  async prepare(): Promise<void> {
    // objects appear as a whole, and need no folder
  }

  locate(key: string): string {
    return this.#service.locate(this.#full(key));
  }

  close(): void {
    this.#ended.abort();
    void this.#agent.destroy();
  }

  #repeated<T>(operation: () => Promise<T>): Promise<T> {
    return withRetries(this.#options, operation, this.#ended.signal);
  }

  /** One request. When the authorization is refused and there may be another one, it is sent once more. */
  async #send(method: RequestMethod, key: string | undefined, request: BucketRequest, body?: Body): Promise<BucketAnswer> {
    const send = (): Promise<BucketAnswer> => this.#slots.run(() => this.#sendOnce(method, key, request, body));
    let answer = await send();
    if (answer.status === 401 && this.#service.renew()) answer = await send();
    if (answer.status >= 200 && answer.status < 300) return answer;
    const cause = new ServiceError(answer.status, this.#service.explanation(answer));
    throw bucketFailure(this.#operation(method, key), this.#service.failure(answer), cause);
  }

  async #sendOnce(method: RequestMethod, key: string | undefined, request: BucketRequest, body?: Body): Promise<BucketAnswer> {
    const file = body !== undefined && 'path' in body ? createReadStream(body.path) : undefined;
    const bodyBytes = body === undefined ? 0 : 'path' in body ? body.sizeBytes : body.byteLength;
    const late = new AbortController();
    const cancel = this.#options.timers.after(this.#options.requestTimeoutMs, () => {
      late.abort(new Error(`no answer within ${this.#options.requestTimeoutMs} ms`));
    });
    try {
      if (file !== undefined) await once(file, 'open');
      const authorization = await this.#authorization(request, bodyBytes, late.signal);
      if (file !== undefined) cancel(); // it may take as long as it moves
      this.requests.add(method);
      const { origin } = this.#service;
      const { path, query } = request;
      const sized = body === undefined ? {} : { 'content-length': String(bodyBytes) };
      const answer = await this.#agent.request({
        ...{ origin, path: path + queryText(query), method: request.method, signal: late.signal },
        headers: { ...request.headers, ...authorization, ...sized },
        body: file ?? (body as Uint8Array | undefined) ?? null,
      });
      return { status: answer.statusCode, headers: answer.headers, body: new Uint8Array(await answer.body.arrayBuffer()) };
    } catch (error) {
      throw this.#failed(method, key, error);
    } finally {
      cancel();
      file?.destroy();
    }
  }

  /** Whoever gives tokens may never answer: then the next request asks anew. */
  async #authorization(request: BucketRequest, bodyBytes: number, late: AbortSignal): Promise<Readonly<Record<string, string>>> {
    try {
      return await unlessAborted(this.#service.authorize(request, bodyBytes), anySignal(late, this.#ended.signal));
    } catch (error) {
      if (late.aborted) this.#service.renew();
      throw error;
    }
  }

  /** Reads an answer whose status says success; what cannot be read is no answer. */
  #understood<T>(method: RequestMethod, key: string | undefined, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw this.#failed(method, key, error);
    }
  }

  #failed(method: RequestMethod, key: string | undefined, error: unknown): ObjectStoreError {
    const none: ServiceFailure = { name: '', status: undefined, code: 'DENIED', wayOut: undefined };
    return bucketFailure(this.#operation(method, key), error instanceof NoCredentials ? none : networkFailure(error), error);
  }

  #operation(method: RequestMethod, key: string | undefined): BucketOperation {
    const { bucket, place } = this.#service;
    return { method, place, bucket, key: key === undefined ? undefined : this.#full(key) };
  }

  #full(key: string): string {
    assert(isObjectKey(key), `'${key}' is no key of an object`);
    return this.#prefix + key;
  }
}

const OTHER_ORDER =
  'the service does not list keys by their characters, as accounts with a hierarchical namespace do: use an account or a bucket without it';
