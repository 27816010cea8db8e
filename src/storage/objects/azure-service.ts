import type { Clock } from '../../shared/clock.ts';
import { StartupError } from '../../shared/startup-error.ts';
import { azureFailure } from './azure-failures.ts';
import { sharedKeyAuthorization } from './azure-signature.ts';
import { type BearerToken, BearerTokens } from './bearer-tokens.ts';
import { type BucketAnswer, type BucketRequest, type BucketService, firstLine, type ListPage } from './bucket-service.ts';
import type { ConnectionOptions } from './connection-options.ts';
import { HttpObjectStore } from './http-object-store.ts';
import type { ObjectEntry, PutCondition } from './object-store.ts';
import { optionalPackage } from './optional-package.ts';
import type { ServiceFailure } from './store-failures.ts';

/** Which container, and how to reach it. */
export interface AzureOptions extends ConnectionOptions {
  readonly container: string;
  /** Before every key, `/` at its end. */
  readonly prefix: string;
  readonly account: string;
  /** Base64; undefined = an identity, as Azure's library finds it. */
  readonly accessKey: string | undefined;
  /** Of the account; undefined = that of Azure. */
  readonly endpoint: string | undefined;
}

/** Objects of a container of Azure Blob Storage. Throws `StartupError` when the key is none, or a package is missing. */
export async function openAzureStore(options: AzureOptions): Promise<HttpObjectStore> {
  const { accessKey, clock } = options;
  const credentials = accessKey === undefined ? await identity(clock) : decodedKey(accessKey);
  return new HttpObjectStore(new AzureService(options, credentials), options.prefix, options);
}

/** A version of the service that knows all that is used here; Azure keeps old ones. */
const SERVICE_VERSION = '2023-11-03';
const PAGE_MAX = 5000;

const IDENTITY_PACKAGE = '@azure/identity';
const IDENTITY_RANGE = '4';
const SCOPE = 'https://storage.azure.com/.default';
/** A token is renewed so long before its end. */
const RENEW_BEFORE_MS = 120_000;

const NO_IDENTITY = 'no credentials were found: set --azure-storage-access-key, or give this process an identity that Azure knows';

interface IdentityPackage {
  readonly DefaultAzureCredential: new () => {
    getToken(scope: string): Promise<{ readonly token: string; readonly expiresOnTimestamp: number }>;
  };
}

/** Requests of Azure Blob Storage. */
class AzureService implements BucketService {
  readonly origin: string;
  readonly bucket: string;
  readonly place = 'container';
  readonly #account: string;
  readonly #credentials: Uint8Array | BearerTokens;
  readonly #clock: Clock;
  /** Path of the container. */
  readonly #root: string;

  constructor({ account, clock, container, endpoint }: AzureOptions, credentials: Uint8Array | BearerTokens) {
    const url = new URL(endpoint ?? `https://${account}.blob.core.windows.net`);
    this.origin = url.origin;
    this.bucket = container;
    this.#account = account;
    this.#credentials = credentials;
    this.#clock = clock;
    this.#root = `${url.pathname.replace(/\/$/, '')}/${encodeURIComponent(container)}`;
  }

  put(key: string, condition: PutCondition): BucketRequest {
    const headers = { 'x-ms-blob-type': 'BlockBlob', ...(condition === 'create' ? { 'if-none-match': '*' } : {}) };
    return { method: 'PUT', path: this.#path(key), headers };
  }

  isStored({ headers, status }: BucketAnswer): boolean {
    return status === 201 && headers['etag'] !== undefined;
  }

  get(key: string, range: string | undefined): BucketRequest {
    return { method: 'GET', path: this.#path(key), ...(range === undefined ? {} : { headers: { range } }) };
  }

  head(key: string): BucketRequest {
    return { method: 'HEAD', path: this.#path(key) };
  }

  sizeOf({ headers }: BucketAnswer): number {
    const size = Number(headers['content-length']);
    if (!Number.isSafeInteger(size)) throw new Error('the service does not say how large the blob is');
    return size;
  }

  remove(key: string): BucketRequest {
    return { method: 'DELETE', path: this.#path(key), headers: { 'x-ms-delete-snapshots': 'include' } };
  }

  list(prefix: string, _startAt: string, marker: string | undefined): BucketRequest {
    const query = { restype: 'container', comp: 'list', prefix, maxresults: String(PAGE_MAX), ...(marker === undefined ? {} : { marker }) };
    return { method: 'GET', path: this.#root, query };
  }

  page({ body }: BucketAnswer): ListPage {
    const text = Buffer.from(body).toString('utf8');
    if (!text.trimEnd().endsWith('</EnumerationResults>')) throw new Error('the answer is no list of blobs');
    const entries = [...text.matchAll(/<Blob>.*?<\/Blob>/gs)].flatMap(([blob]) => blobOf(blob));
    const next = unescaped(/<NextMarker>([^<]*)<\/NextMarker>/.exec(text)?.[1] ?? '');
    return { entries, next: next === '' ? undefined : next };
  }

  async authorize(request: BucketRequest, bodyBytes: number): Promise<Readonly<Record<string, string>>> {
    const own = { 'x-ms-date': new Date(this.#clock.nowMs()).toUTCString(), 'x-ms-version': SERVICE_VERSION };
    if (this.#credentials instanceof BearerTokens) return { ...own, authorization: await this.#credentials.authorization() };
    const signed = { ...request, headers: { ...request.headers, ...own } };
    return { ...own, authorization: sharedKeyAuthorization(this.#account, this.#credentials, signed, bodyBytes) };
  }

  renew(): boolean {
    if (!(this.#credentials instanceof BearerTokens)) return false;
    this.#credentials.forget();
    return true;
  }

  failure(answer: BucketAnswer): ServiceFailure {
    return azureFailure(answer, this.#clock.nowMs());
  }

  explanation({ body, status }: BucketAnswer): string {
    const message = /<Message>([^<]*)/.exec(Buffer.from(body).toString('utf8'))?.[1];
    return message === undefined ? `status ${status}` : firstLine(unescaped(message));
  }

  locate(key: string): string {
    return `${this.origin}${this.#path(key)}`;
  }

  #path(key: string): string {
    return `${this.#root}/${key.split('/').map(encodeURIComponent).join('/')}`;
  }
}

/** Name and size of a blob of a list. Folders of accounts with a hierarchical namespace are none. */
function blobOf(xml: string): ObjectEntry[] {
  const [, encoded, name] = /<Name( Encoded="true")?>([^<]*)<\/Name>/.exec(xml) ?? [];
  const size = /<Content-Length>(\d+)<\/Content-Length>/.exec(xml)?.[1];
  if (name === undefined || size === undefined) throw new Error('the list has a blob without a name or a size');
  if (xml.includes('<ResourceType>directory</ResourceType>')) return [];
  const key = unescaped(name);
  const modified = Date.parse(/<Last-Modified>([^<]*)<\/Last-Modified>/.exec(xml)?.[1] ?? '');
  return [
    {
      key: encoded === undefined ? key : decodeURIComponent(key),
      sizeBytes: Number(size),
      modifiedMs: Number.isNaN(modified) ? undefined : modified,
    },
  ];
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

/** Text of an XML element. */
function unescaped(xml: string): string {
  return xml.replace(/&(?:#x([\da-f]+)|#(\d+)|(\w+));/gi, (whole, hex?: string, decimal?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name] ?? whole;
    return String.fromCodePoint(hex === undefined ? Number(decimal) : Number.parseInt(hex, 16));
  });
}

function decodedKey(accessKey: string): Uint8Array {
  const key = Buffer.from(accessKey, 'base64');
  if (key.length > 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(accessKey)) return key;
  const reason = 'the access key is not base64; copy it from the page of the storage account';
  throw new StartupError(`Cannot parse object store config: Error configuring Microsoft Azure: ${reason}`);
}

async function identity(clock: Clock): Promise<BearerTokens> {
  const why = '--object-store azure without --azure-storage-access-key';
  const { DefaultAzureCredential } = (await optionalPackage(IDENTITY_PACKAGE, IDENTITY_RANGE, why)) as IdentityPackage;
  const credential = new DefaultAzureCredential();
  const next = async (): Promise<BearerToken> => {
    const { expiresOnTimestamp, token } = await credential.getToken(SCOPE);
    return { token, untilMs: expiresOnTimestamp - RENEW_BEFORE_MS };
  };
  return new BearerTokens(next, clock, NO_IDENTITY);
}
