import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';
import type { InfluxError } from '../../../shared/errors.ts';
import { badGzip, bodyReadFailed, requestTooLarge, unacceptableContentEncoding } from '../response/errors.ts';
import type { BodyMemory } from './body-memory.ts';

const gunzipAsync = promisify(gunzip);

/** Zipped bodies up to this size inflate on the spot: a hop to the thread pool would cost more. */
const INFLATE_IN_PLACE_BYTES_MAX = 16 * 1024;

/** Bytes of a refused body that are still taken off the wire. */
const DISCARD_BYTES_MAX = 64 * 1024 * 1024;

/** Smallest output step of zlib. */
const INFLATE_CHUNK_BYTES_MIN = 16 * 1024;

/** What reading needs of a request; both HTTP versions have it. */
export type BodyStream = Pick<IncomingMessage, 'headers' | 'on' | 'off' | 'resume' | 'destroy' | 'readableEnded' | 'destroyed'>;

/** A request whose body has arrived already. */
export interface WholeBody {
  readonly headers: { readonly 'content-encoding'?: string | undefined };
  readonly whole: Buffer;
}

export type BodySource = BodyStream | WholeBody;

/**
 * Reads and unzips a request body. Reading stops at the limit; the same inclusive limit holds for the
 * raw and the unzipped size. Throws the errors of docs/errors.md, "Requests".
 */
export async function readBody(request: BodySource, maxBytes: number, memory?: BodyMemory): Promise<Buffer> {
  const encoding = request.headers['content-encoding'];
  const zipped = encoding === 'gzip';
  const raw = 'whole' in request ? takeWhole(request.whole, maxBytes, memory) : await readRaw(request, maxBytes, memory);
  if (encoding !== undefined && !zipped && encoding !== 'identity') throw unacceptableContentEncoding(encoding);
  if (!zipped) return raw;
  try {
    return await inflate(raw, maxBytes);
  } finally {
    memory?.give(raw);
  }
}

/**
 * Reads a body into memory that is used again when `use` is done: nothing may look at the body after that. Until then the body
 * belongs to `use` alone; nobody else writes to its memory.
 */
export async function withBody<T>(
  request: BodySource,
  limits: { readonly maxBytes: number; readonly memory: BodyMemory },
  use: (body: Buffer) => Promise<T>,
): Promise<T> {
  const body = await readBody(request, limits.maxBytes, limits.memory);
  try {
    return await use(body);
  } finally {
    limits.memory.give(body);
  }
}

function takeWhole(body: Buffer, maxBytes: number, memory: BodyMemory | undefined): Buffer {
  if (body.length > maxBytes) throw requestTooLarge(maxBytes);
  memory?.arrived(body.length);
  return body;
}

function readRaw(request: BodyStream, maxBytes: number, memory: BodyMemory | undefined): Promise<Buffer> {
  const declared = declaredLength(request);
  if (declared !== undefined && declared > maxBytes) {
    discardRest(request);
    return Promise.reject(requestTooLarge(maxBytes));
  }
  return new Promise<Buffer>((resolve, reject) => {
    const collector = new BodyCollector(declared, memory);
    // The listeners stay: taking them off one by one costs more than a small body.
    let settled = false;
    const onData = (chunk: Buffer): void => {
      if (settled) return;
      if (declared !== undefined && collector.byteCount + chunk.length > declared) {
        finish(bodyReadFailed(new Error('the body is longer than its content-length')));
        discardRest(request);
        return;
      }
      if (collector.byteCount + chunk.length > maxBytes) {
        finish(requestTooLarge(maxBytes));
        discardRest(request);
        return;
      }
      collector.add(chunk);
    };
    const finish = (error: InfluxError | undefined): void => {
      settled = true;
      if (error === undefined) resolve(collector.take());
      else reject(error);
      memory?.arrived(collector.byteCount);
    };
    const onEnd = (): void => {
      if (settled) return;
      const isShort = declared !== undefined && collector.byteCount < declared;
      finish(isShort ? bodyReadFailed(new Error('the body is shorter than its content-length')) : undefined);
    };
    // Also takes late socket errors, which must not be thrown.
    const onError = (error: Error): void => {
      if (!settled) finish(bodyReadFailed(error));
    };
    const onClose = (): void => {
      if (!settled) finish(bodyReadFailed(new Error('connection closed before message completed')));
    };
    if (request.readableEnded) return resolve(Buffer.alloc(0));
    if (request.destroyed) return onClose();
    request.on('data', onData);
    request.on('end', onEnd);
    request.on('error', onError);
    request.on('close', onClose);
  });
}

/**
 * Throws away what a client still sends of a refused body, so that it gets to read the answer; past the limit the
 * connection is cut.
 */
function discardRest(request: BodyStream): void {
  let left = DISCARD_BYTES_MAX;
  request.on('error', () => {});
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) request.destroy();
  });
}

function declaredLength(request: BodyStream): number | undefined {
  const text = request.headers['content-length'];
  return text === undefined ? undefined : Number(text);
}

/** Collects chunks, for one request; with a declared length they are copied into place as they come, so that no second copy is needed. */
class BodyCollector {
  byteCount = 0;
  readonly #declared: number | undefined;
  readonly #memory: BodyMemory | undefined;
  #target: Buffer | undefined;
  readonly #chunks: Buffer[] = [];

  constructor(declared: number | undefined, memory: BodyMemory | undefined) {
    this.#declared = declared;
    this.#memory = memory;
  }

  add(chunk: Buffer): void {
    if (this.#declared === undefined || this.#declared === chunk.length) {
      this.#chunks.push(chunk);
    } else {
      this.#target ??= this.#memory?.take(this.#declared) ?? Buffer.allocUnsafeSlow(this.#declared);
      chunk.copy(this.#target, this.byteCount);
    }
    this.byteCount += chunk.length;
  }

  take(): Buffer {
    if (this.#target !== undefined) return this.#target.subarray(0, this.byteCount);
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.byteCount);
  }
}

async function inflate(zipped: Buffer, maxBytes: number): Promise<Buffer> {
  const options = { maxOutputLength: Math.max(1, maxBytes), chunkSize: outputChunkBytes(zipped, maxBytes) };
  try {
    return zipped.length <= INFLATE_IN_PLACE_BYTES_MAX ? gunzipSync(zipped, options) : await gunzipAsync(zipped, options);
  } catch (error) {
    if (isTooLarge(error)) throw requestTooLarge(maxBytes);
    throw badGzip(gzipDetail(error), error);
  }
}

/** The last four bytes of a gzip member are its unzipped size: one output buffer of that size spares the final copy. */
function outputChunkBytes(zipped: Buffer, maxBytes: number): number {
  const size = zipped.length < 18 ? 0 : zipped.readUInt32LE(zipped.length - 4);
  return Math.max(INFLATE_CHUNK_BYTES_MIN, Math.min(size, maxBytes) + 1);
}

function isTooLarge(error: unknown): boolean {
  return (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
}

function gzipDetail(error: unknown): string {
  const detail = error instanceof Error ? error.message : String(error);
  return detail === 'incorrect header check' ? 'invalid gzip header' : detail;
}

/** A media type without its parameters, in lower case. */
export function mediaType(text: string): string {
  return (text.split(';', 1)[0] ?? '').trim().toLowerCase();
}
