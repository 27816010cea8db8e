import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Readable } from 'node:stream';
import { assert } from '../../shared/assert.ts';
import { AwsCredentialsFile, type AwsKeys } from './aws-credentials.ts';
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
import { optionalPackage } from './optional-package.ts';
import { withRetries } from './retries.ts';
import { s3Failure, s3Status } from './s3-failures.ts';
import { bucketFailure, networkFailure } from './store-failures.ts';

/** Which bucket, and how to reach it. */
export interface S3Options extends ConnectionOptions {
  readonly bucket: string;
  /** Before every key, `/` at its end. */
  readonly prefix: string;
  readonly region: string;
  /** Of a service other than AWS; buckets are then parts of the path. */
  readonly endpoint: string | undefined;
  /** Undefined = as the AWS SDK finds them; `anonymous` = requests are not signed. */
  readonly credentials: AwsKeys | { readonly file: string } | 'anonymous' | undefined;
}

const PACKAGE = '@aws-sdk/client-s3';
const PACKAGE_RANGE = '3';

/** Objects that one request deletes. */
const DELETED_AT_ONCE = 1000;

/** Statuses by which services say that they do not know a request. */
const UNKNOWN_REQUEST: ReadonlySet<number> = new Set([400, 404, 405, 411, 501]);

/** The SDK warns about coming versions of its own; which one is installed is decided by who installs it. */
const NODE_WARNING_OFF = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED';

/** What is used of the package. */
interface S3Package {
  readonly S3Client: new (config: Record<string, unknown>) => S3Client;
  readonly PutObjectCommand: S3Command;
  readonly GetObjectCommand: S3Command;
  readonly HeadObjectCommand: S3Command;
  readonly DeleteObjectCommand: S3Command;
  readonly DeleteObjectsCommand: S3Command;
  readonly ListObjectsV2Command: S3Command;
}

interface S3Client {
  send(command: object): Promise<S3Answer>;
  destroy(): void;
}

type S3Command = new (input: Record<string, unknown>) => object;

interface S3Answer {
  readonly Body?: Readable & { transformToByteArray(): Promise<Uint8Array> };
  readonly ContentLength?: number;
  readonly Contents?: readonly { readonly Key?: string; readonly Size?: number; readonly LastModified?: Date }[];
  readonly NextContinuationToken?: string;
  readonly Errors?: readonly { readonly Key?: string; readonly Code?: string; readonly Message?: string }[];
}

/** Objects of an S3 bucket, through the AWS SDK. */
export class S3ObjectStore implements BucketStore {
  readonly requests = new RequestCounts();
  readonly #options: S3Options;
  readonly #sdk: S3Package;
  readonly #client: S3Client;
  readonly #file: AwsCredentialsFile | undefined;
  readonly #ended = new AbortController();
  /** The service does not know how to delete several objects with one request. */
  #deletesEach = false;

  /** Loads the package. Throws `StartupError` when it is not installed or the credentials file cannot be used. */
  static async open(options: S3Options): Promise<S3ObjectStore> {
    const { credentials } = options;
    const file =
      typeof credentials === 'object' && 'file' in credentials ? new AwsCredentialsFile(credentials.file, options.clock) : undefined;
    await file?.keys();
    const sdk = (await optionalPackage(PACKAGE, PACKAGE_RANGE, '--object-store s3')) as S3Package;
    process.env[NODE_WARNING_OFF] ??= 'true';
    return new S3ObjectStore(options, sdk, file);
  }

  private constructor(options: S3Options, sdk: S3Package, file: AwsCredentialsFile | undefined) {
    this.#options = options;
    this.#sdk = sdk;
    this.#file = file;
    this.#client = new sdk.S3Client(clientConfig(options, file));
  }

  put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void> {
    const input = { Body: bytes, ...(condition === 'create' ? { IfNoneMatch: '*' } : {}) };
    const put = async (): Promise<void> => {
      await this.#send('PUT', key, this.#sdk.PutObjectCommand, input);
    };
    return condition === 'create' ? put() : this.#repeated(put);
  }

  putFile(key: string, path: string, sizeBytes: number): Promise<void> {
    return this.#repeated(async () => {
      const file = createReadStream(path);
      try {
        await once(file, 'open').catch((error: unknown) => {
          throw bucketFailure({ method: 'PUT', bucket: this.#options.bucket, key: this.#full(key) }, networkFailure(error), error);
        });
        await this.#send('PUT', key, this.#sdk.PutObjectCommand, { Body: file, ContentLength: sizeBytes });
      } finally {
        file.destroy();
      }
    });
  }

  get(key: string): Promise<Uint8Array> {
    return this.#repeated(() => this.#read(key, {}));
  }

  async getRange(key: string, start: number, length: number): Promise<Uint8Array> {
    if (length <= 0) return new Uint8Array(0);
    try {
      return await this.#repeated(() => this.#read(key, { Range: `bytes=${start}-${start + length - 1}` }));
    } catch (error) {
      if (error instanceof ObjectStoreError && s3Status(error.cause) === 416) return new Uint8Array(0);
      throw error;
    }
  }

  async #read(key: string, input: Record<string, unknown>): Promise<Uint8Array> {
    const { Body, ContentLength } = await this.#send('GET', key, this.#sdk.GetObjectCommand, input);
    try {
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
      if (ContentLength !== undefined && bytes.byteLength !== ContentLength) throw new Error('the answer was cut off');
      return bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes);
    } catch (error) {
      throw bucketFailure({ method: 'GET', bucket: this.#options.bucket, key: this.#full(key) }, networkFailure(error), error);
    }
  }

  async head(key: string): Promise<{ readonly sizeBytes: number }> {
    const { ContentLength } = await this.#repeated(() => this.#send('HEAD', key, this.#sdk.HeadObjectCommand, {}));
    return { sizeBytes: ContentLength ?? 0 };
  }

  async *list(prefix: string, startAfter?: string): AsyncGenerator<string> {
    for await (const { key } of this.entries(prefix, startAfter)) yield key;
  }

  async *entries(prefix: string, startAfter = ''): AsyncGenerator<ObjectEntry> {
    const own = this.#options.prefix;
    let token: string | undefined;
    do {
      const input = {
        Prefix: own + prefix,
        ...(startAfter === '' ? {} : { StartAfter: own + startAfter }),
        ...(token === undefined ? {} : { ContinuationToken: token }),
      };
      const page = await this.#repeated(() => this.#send('LIST', undefined, this.#sdk.ListObjectsV2Command, input));
      for (const { Key, LastModified, Size } of page.Contents ?? [])
        if (Key !== undefined) yield { key: Key.slice(own.length), sizeBytes: Size ?? 0, modifiedMs: LastModified?.getTime() };
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async delete(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) await this.#deletePage(keys.slice(at, at + DELETED_AT_ONCE));
  }

  async #deletePage(keys: readonly string[]): Promise<void> {
    const isTogether = keys.length > 1 && !this.#deletesEach;
    if (isTogether && (await this.#repeated(() => this.#deleteTogether(keys)))) return;
    await deleteEach(keys, (key) => this.#repeated(() => this.#send('DELETE', key, this.#sdk.DeleteObjectCommand, {})));
    if (isTogether) this.#deletesEach = true;
  }

  /** False = the service does not know how to do that. */
  async #deleteTogether(keys: readonly string[]): Promise<boolean> {
    const input = { Delete: { Objects: keys.map((key) => ({ Key: this.#full(key) })), Quiet: true } };
    let answer: S3Answer;
    try {
      answer = await this.#send('DELETE', undefined, this.#sdk.DeleteObjectsCommand, input);
    } catch (error) {
      if (error instanceof ObjectStoreError && UNKNOWN_REQUEST.has(s3Status(error.cause) ?? 0)) return false;
      throw error;
    }
    const failed = answer.Errors?.find(({ Code }) => Code !== 'NoSuchKey');
    if (failed === undefined) return true;
    const cause = Object.assign(new Error(failed.Message ?? ''), { name: failed.Code ?? '' });
    throw bucketFailure({ method: 'DELETE', bucket: this.#options.bucket, key: failed.Key }, s3Failure(cause), cause);
  }

  async move(from: string, to: string): Promise<void> {
    await this.put(to, await this.get(from), 'overwrite');
    await this.delete([from]);
  }

  async prepare(): Promise<void> {
    // objects appear as a whole, and need no folder
  }

  locate(key: string): string {
    return `s3://${this.#options.bucket}/${this.#full(key)}`;
  }

  close(): void {
    this.#ended.abort();
    this.#client.destroy();
  }

  #repeated<T>(operation: () => Promise<T>): Promise<T> {
    return withRetries(this.#options, operation, this.#ended.signal);
  }

  /** One request. After a refusal of keys that come from a file, the file is read and the request is sent once more. */
  async #send(method: RequestMethod, key: string | undefined, Command: S3Command, input: Record<string, unknown>): Promise<S3Answer> {
    try {
      return await this.#sendOnce(method, key, Command, input);
    } catch (error) {
      if (this.#file === undefined || !(error instanceof ObjectStoreError && error.code === 'DENIED')) throw error;
      this.#file.forget();
      if (input['Body'] instanceof Object && 'pipe' in input['Body']) throw error; // it was read: whoever puts a file begins anew
      return await this.#sendOnce(method, key, Command, input);
    }
  }

  async #sendOnce(method: RequestMethod, key: string | undefined, Command: S3Command, input: Record<string, unknown>): Promise<S3Answer> {
    const { bucket } = this.#options;
    const full = key === undefined ? undefined : this.#full(key);
    try {
      if (this.#ended.signal.aborted) throw new Error('the store is closed'); // the SDK would connect anew
      this.requests.add(method);
      return await this.#client.send(new Command({ Bucket: bucket, ...(full === undefined ? {} : { Key: full }), ...input }));
    } catch (error) {
      throw bucketFailure({ method, bucket, key: full }, s3Failure(error), error);
    }
  }

  #full(key: string): string {
    assert(isObjectKey(key), `'${key}' is no key of an object`);
    return this.#options.prefix + key;
  }
}

function clientConfig(options: S3Options, file: AwsCredentialsFile | undefined): Record<string, unknown> {
  const { connectionLimit, credentials, endpoint, region, requestTimeoutMs, tlsAllowInsecure, tlsRoots } = options;
  const sockets = { keepAlive: true, maxSockets: connectionLimit };
  return {
    region,
    maxAttempts: 1, // repetitions are counted in one place
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...credentialsConfig(credentials, file),
    // Only where the service asks for one: others do not understand it, and everything that is read back has a checksum of its own.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      socketTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent(sockets),
      httpsAgent: new HttpsAgent({
        ...sockets,
        rejectUnauthorized: !tlsAllowInsecure,
        ...(tlsRoots === undefined ? {} : { ca: [...tlsRoots] }),
      }),
    },
  };
}

function credentialsConfig(credentials: S3Options['credentials'], file: AwsCredentialsFile | undefined): Record<string, unknown> {
  // The SDK asks for keys even where nothing is signed.
  if (credentials === 'anonymous') return { credentials: NO_KEYS, signer: { sign: async (request: unknown) => request } };
  // An expiration that is near makes the SDK ask for the keys each time; the file's reader knows when to read.
  if (file !== undefined) return { credentials: async () => ({ ...(await file.keys()), expiration: EXPIRED }) };
  return credentials === undefined ? {} : { credentials };
}

const EXPIRED = new Date(0);
const NO_KEYS: AwsKeys = { accessKeyId: 'anonymous', secretAccessKey: 'anonymous' };
