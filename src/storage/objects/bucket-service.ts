import type { ObjectEntry, PutCondition } from './object-store.ts';
import type { ServiceFailure } from './store-failures.ts';

/** A request to a service, without its body and its authorization. */
export interface BucketRequest {
  readonly method: 'PUT' | 'POST' | 'GET' | 'HEAD' | 'DELETE';
  /** From the root of the service, percent-encoded. */
  readonly path: string;
  /** Not encoded yet. */
  readonly query?: Readonly<Record<string, string>>;
  /** Names in small letters. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A whole answer. */
export interface BucketAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** At an 8-byte aligned `byteOffset`. */
  readonly body: Uint8Array;
}

/** One page of a list. */
export interface ListPage {
  readonly entries: readonly ObjectEntry[];
  /** Marks the next page; undefined = this is the last one. */
  readonly next: string | undefined;
}

/** How a service of buckets wants to be asked, and what its answers mean. Keys are whole, with the prefix of the node. */
export interface BucketService {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly bucket: string;
  /** What the service calls a bucket. */
  readonly place: 'bucket' | 'container';
  put(key: string, condition: PutCondition): BucketRequest;
  /** Whether an answer to a put comes from the service and says that the object is there: a proxy may say 200 to everything. */
  isStored(answer: BucketAnswer): boolean;
  /** `range` is the value of the header. */
  get(key: string, range: string | undefined): BucketRequest;
  head(key: string): BucketRequest;
  /** Size from an answer to `head`. */
  sizeOf(answer: BucketAnswer): number;
  remove(key: string): BucketRequest;
  /** Keys from `startAt` on, or all of the prefix when the service cannot begin anywhere; `marker` is that of the page before. */
  list(prefix: string, startAt: string, marker: string | undefined): BucketRequest;
  /** Throws for anything that is no list: taken for an empty one, it would hide what is there. */
  page(answer: BucketAnswer): ListPage;
  /** Headers that authorize a request with a body of this length. Rejects with `NoCredentials`. */
  authorize(request: BucketRequest, bodyBytes: number): Promise<Readonly<Record<string, string>>>;
  /** The service did not accept the authorization, or `authorize` took too long. True = there may be a better one now. */
  renew(): boolean;
  failure(answer: BucketAnswer): ServiceFailure;
  /** What the service says about a failure, on one line. */
  explanation(answer: BucketAnswer): string;
  /** How people find the object. */
  locate(key: string): string;
}

/** There is nothing to authorize a request with; the message is the way out. */
export class NoCredentials extends Error {
  override readonly name = 'NoCredentials';
}

/** An answer that is no success. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The text of a query, `?` at its front; empty when there is none. */
export function queryText(query: BucketRequest['query']): string {
  const parts = Object.entries(query ?? {}).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Milliseconds by which the clock of this machine is ahead of the `date` of an answer; 0 when it has none. */
export function clockAheadMs({ headers }: BucketAnswer, nowMs: number): number {
  const date = Date.parse(String(headers['date']));
  return Number.isNaN(date) ? 0 : nowMs - date;
}

/** The first line of a text of a service or of a library, cut where it gets long. */
export function firstLine(text: string): string {
  const line = text.trim().split(/[\r\n]/)[0] ?? '';
  return line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)}...` : line;
}

const LINE_MAX = 300;
