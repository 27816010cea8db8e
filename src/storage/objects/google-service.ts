import type { Clock } from '../../shared/clock.ts';
import { type BearerToken, BearerTokens } from './bearer-tokens.ts';
import type { BucketAnswer, BucketRequest, BucketService, ListPage } from './bucket-service.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { readGoogleAccount, selfSignedToken } from './google-account.ts';
import { googleError, googleFailure } from './google-failures.ts';
import { HttpObjectStore } from './http-object-store.ts';
import type { PutCondition } from './object-store.ts';
import { optionalPackage } from './optional-package.ts';
import type { ServiceFailure } from './store-failures.ts';

/** Which bucket, and how to reach it. */
export interface GoogleOptions extends ConnectionOptions {
  readonly bucket: string;
  /** Before every key, `/` at its end. */
  readonly prefix: string;
  /** Path of the key file of a service account; undefined = credentials as Google's library finds them. */
  readonly serviceAccountFile: string | undefined;
  /** Of the service; that of the key file, or else of Google, by default. */
  readonly baseUrl?: string;
}

/** Objects of a bucket of Google Cloud Storage. Throws `StartupError` when the key file cannot be used, or a package is missing. */
export async function openGoogleStore(options: GoogleOptions): Promise<HttpObjectStore> {
  const { clock, serviceAccountFile } = options;
  const account = serviceAccountFile === undefined ? undefined : await readGoogleAccount(serviceAccountFile);
  const key = account?.key;
  let tokens: BearerTokens | undefined;
  if (key !== undefined) tokens = new BearerTokens(async () => selfSignedToken(key, clock), clock, NO_CREDENTIALS);
  else if (account === undefined) tokens = await foundCredentials(clock);
  const baseUrl = options.baseUrl ?? account?.baseUrl ?? BASE_URL;
  const service = new GoogleService({ bucket: options.bucket, baseUrl, tokens, clock });
  return new HttpObjectStore(service, options.prefix, options);
}

const BASE_URL = 'https://storage.googleapis.com';
const PAGE_MAX = 1000;

const AUTH_PACKAGE = 'google-auth-library';
const AUTH_RANGE = '10';
const SCOPE = 'https://www.googleapis.com/auth/devstorage.read_write';

const NO_CREDENTIALS = 'no credentials were found: set --google-service-account, or one of the ways that Google knows';

interface AuthPackage {
  readonly GoogleAuth: new (options: { readonly scopes: readonly string[] }) => { getAccessToken(): Promise<string | null | undefined> };
}

interface GoogleServiceParts {
  readonly bucket: string;
  readonly baseUrl: string;
  /** Undefined = requests are not authorized. */
  readonly tokens: BearerTokens | undefined;
  readonly clock: Clock;
}

interface ListAnswer {
  readonly kind?: unknown;
  readonly nextPageToken?: string;
  readonly items?: readonly { readonly name: string; readonly size: string; readonly timeCreated: string }[];
}

/** Requests of the JSON API of Google Cloud Storage. */
class GoogleService implements BucketService {
  readonly origin: string;
  readonly bucket: string;
  readonly place = 'bucket';
  readonly #tokens: BearerTokens | undefined;
  readonly #clock: Clock;
  /** Paths of the objects of the bucket: those that are there, and those that are uploaded. */
  readonly #objects: string;
  readonly #uploads: string;

  constructor({ baseUrl, bucket, clock, tokens }: GoogleServiceParts) {
    const url = new URL(baseUrl);
    const root = url.pathname.replace(/\/$/, '');
    this.origin = url.origin;
    this.bucket = bucket;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#objects = `${root}/storage/v1/b/${encodeURIComponent(bucket)}/o`;
    this.#uploads = `${root}/upload/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  }

  put(key: string, condition: PutCondition): BucketRequest {
    const create = condition === 'create' ? { ifGenerationMatch: '0' } : {}; // no generation is live
    const query = { uploadType: 'media', name: key, fields: 'generation', ...create };
    return { method: 'POST', path: this.#uploads, query, headers: { 'content-type': 'application/octet-stream' } };
  }

  isStored({ body }: BucketAnswer): boolean {
    return /"generation":\s*"\d+"/.test(Buffer.from(body).toString('utf8'));
  }

  get(key: string, range: string | undefined): BucketRequest {
    return { method: 'GET', path: this.#path(key), query: { alt: 'media' }, ...(range === undefined ? {} : { headers: { range } }) };
  }

  head(key: string): BucketRequest {
    return { method: 'GET', path: this.#path(key), query: { fields: 'size' } };
  }

  sizeOf({ body }: BucketAnswer): number {
    const { size } = JSON.parse(Buffer.from(body).toString('utf8')) as { size?: unknown };
    if (typeof size !== 'string') throw new Error('the service does not say how large the object is');
    return Number(size);
  }

  remove(key: string): BucketRequest {
    return { method: 'DELETE', path: this.#path(key) };
  }

  list(prefix: string, startAt: string, marker: string | undefined): BucketRequest {
    const from = startAt > prefix ? { startOffset: startAt } : {};
    const token = marker === undefined ? {} : { pageToken: marker };
    const fields = 'kind,nextPageToken,items(name,size,timeCreated)';
    return { method: 'GET', path: this.#objects, query: { prefix, maxResults: String(PAGE_MAX), fields, ...from, ...token } };
  }

  page({ body }: BucketAnswer): ListPage {
    const { items = [], kind, nextPageToken } = JSON.parse(Buffer.from(body).toString('utf8')) as ListAnswer;
    if (kind !== 'storage#objects') throw new Error('the answer is no list of objects');
    const entries = items.map(({ name, size, timeCreated }) => ({
      key: name,
      sizeBytes: Number(size),
      modifiedMs: Date.parse(timeCreated),
    }));
    return { entries, next: nextPageToken };
  }

  async authorize(): Promise<Readonly<Record<string, string>>> {
    return this.#tokens === undefined ? {} : { authorization: await this.#tokens.authorization() };
  }

  renew(): boolean {
    this.#tokens?.forget();
    return this.#tokens !== undefined;
  }

  failure(answer: BucketAnswer): ServiceFailure {
    return googleFailure(answer, this.#clock.nowMs());
  }

  explanation(answer: BucketAnswer): string {
    return googleError(answer).message;
  }

  locate(key: string): string {
    return `gs://${this.bucket}/${key}`;
  }

  #path(key: string): string {
    return `${this.#objects}/${encodeURIComponent(key)}`;
  }
}

/** Google's library keeps and renews its tokens itself; after a refusal it begins anew. */
async function foundCredentials(clock: Clock): Promise<BearerTokens> {
  const why = '--object-store google without --google-service-account';
  const { GoogleAuth } = (await optionalPackage(AUTH_PACKAGE, AUTH_RANGE, why)) as AuthPackage;
  const scopes = [SCOPE];
  let auth = new GoogleAuth({ scopes });
  const next = async (): Promise<BearerToken> => {
    const token = await auth.getAccessToken();
    if (typeof token !== 'string') throw new Error('no token');
    return { token, untilMs: 0 };
  };
  return new BearerTokens(next, clock, NO_CREDENTIALS, () => {
    auth = new GoogleAuth({ scopes });
  });
}
