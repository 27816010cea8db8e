/** Why an operation of an object store failed. `UNAVAILABLE` stands for everything that may pass or that nobody can name better. */
export type ObjectErrorCode = 'NOT_FOUND' | 'EXISTS' | 'DENIED' | 'UNAVAILABLE';

/** A failed operation of an object store. The message is that of the cause: of the system, or of the service. */
export class ObjectStoreError extends Error {
  readonly code: ObjectErrorCode;

  constructor(code: ObjectErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ObjectStoreError';
    this.code = code;
  }
}

/** Whether an object may be there already when it is put. */
export type PutCondition = 'create' | 'overwrite';

/**
 * Named pieces of bytes, each written as a whole: a directory today, a bucket just as well. Keys are parts of printable ASCII
 * joined by `/`, none of them empty, `.` or `..`. Every method rejects with `ObjectStoreError`.
 */
export interface ObjectStore {
  /**
   * Writes an object. When it resolves, readers see all of the bytes, and a crash loses none. With `create` it rejects with
   * EXISTS when the key is taken. After UNAVAILABLE nobody knows whether the object is there.
   */
  put(key: string, bytes: Uint8Array, condition: PutCondition): Promise<void>;
  /** All bytes, at an 8-byte aligned `byteOffset`. Rejects with NOT_FOUND. */
  get(key: string): Promise<Uint8Array>;
  /** `length` bytes from byte `start` on, fewer where the object ends. Rejects with NOT_FOUND. */
  getRange(key: string, start: number, length: number): Promise<Uint8Array>;
  /** Size in bytes. Rejects with NOT_FOUND. */
  head(key: string): Promise<{ readonly sizeBytes: number }>;
  /** Keys that begin with `prefix` and come after `startAfter`, ascending by character code. */
  list(prefix: string, startAfter?: string): AsyncIterable<string>;
  /** Removes objects for good; missing ones are fine. What is left after a rejection can be deleted again. */
  delete(keys: readonly string[]): Promise<void>;
  /** Gives an object another key, which must be free. After a crash it may have both. Rejects with NOT_FOUND. */
  move(from: string, to: string): Promise<void>;
  /** Call it before the first use of keys that begin with `prefix`, a `/` at its end: removes what writers that died left half-written. */
  prepare(prefix: string): Promise<void>;
  /** How people find the object: a path, or a URL. */
  locate(key: string): string;
}

/** An object as lists tell it. */
export interface ObjectEntry {
  readonly key: string;
  readonly sizeBytes: number;
  /** When it was written, ms since 1970 by the clock of the store; undefined = the store does not tell. */
  readonly modifiedMs?: number | undefined;
}

/** An object store behind a network, which other processes can reach too. */
export interface BucketStore extends ObjectStore {
  /** How many requests were sent, by their kind. */
  readonly requests: RequestCounts;
  /** The same as `list`, with what lists tell of each object. */
  entries(prefix: string, startAfter?: string): AsyncIterable<ObjectEntry>;
  /** The same as `put` with `overwrite`, from a file that does not change meanwhile. */
  putFile(key: string, path: string, sizeBytes: number): Promise<void>;
  /** Ends what is under way; the store cannot be used any more. */
  close(): void;
}

/** Kinds of requests, as services count them. */
export type RequestMethod = 'PUT' | 'GET' | 'HEAD' | 'LIST' | 'DELETE';

/** Requests since the start, by kind. */
export class RequestCounts {
  readonly #counts = new Map<RequestMethod, number>();

  add(method: RequestMethod): void {
    this.#counts.set(method, (this.#counts.get(method) ?? 0) + 1);
  }

  entries(): Iterable<[RequestMethod, number]> {
    return this.#counts.entries();
  }
}

/** Whether a text can be a key. */
export function isObjectKey(key: string): boolean {
  return /^[ -~]+$/.test(key) && key.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}
