/** Types and classes for plugins: `import type { ProcessWrites } from 'influxdb3-serve/plugin'`. */

export { InvalidKeyError, InvalidLineError, InvalidMeasurementError, LineBuilder } from './line-builder.ts';

/** A cell: whole numbers beyond 2^53 and times (nanoseconds) are bigints. */
export type Value = string | number | bigint | boolean;

/** A written row: the columns that its line had, tags first, then fields, then `time`. */
export type Row = Record<string, Value>;

/** A row of a query: every column, null where there is nothing. */
export type QueryRow = Record<string, Value | null>;

/** One column of a table batch. `values` of integers and times are bigint arrays; undefined or null cells have no value. */
export interface Column {
  readonly name: string;
  readonly type: 'tag' | 'string' | 'integer' | 'uinteger' | 'float' | 'boolean' | 'time';
  readonly values: Float64Array | BigInt64Array | BigUint64Array | readonly (Value | undefined)[];
  /** Whether a row has a value. */
  has(row: number): boolean;
}

/** Rows of one table. */
export interface TableBatch {
  readonly tableName: string;
  readonly rowCount: number;
  /** Made when it is first read. */
  readonly rows: readonly Row[];
  /** The same rows by column, without an object a row: one list for each write that the call holds. */
  readonly columns: readonly (readonly Column[])[];
}

export interface CacheOptions {
  /** Seconds until the value is gone. */
  readonly ttl?: number;
  /** Shared by all triggers of the server; the value is copied. */
  readonly global?: boolean;
}

/** Values kept from one call to the next, in memory. */
export interface Cache {
  put(key: string, value: unknown, options: CacheOptions & { readonly global: true }): Promise<void>;
  put(key: string, value: unknown, options?: CacheOptions): void;
  get(key: string, options: { readonly global: true }): Promise<unknown>;
  get(key: string, options?: { readonly global?: false }): unknown;
  delete(key: string, options: { readonly global: true }): Promise<boolean>;
  delete(key: string, options?: { readonly global?: false }): boolean;
}

/** Something that makes lines. */
export interface Buildable {
  build(): string;
}

/** What a plugin can do while it is called. */
export interface Api {
  /** `'bigint'` = integers of rows are always bigints; by default they are numbers where a double holds them exactly. */
  int64: 'number' | 'bigint';
  info(...parts: unknown[]): void;
  warn(...parts: unknown[]): void;
  error(...parts: unknown[]): void;
  /** Writes a line to the trigger's database when the call has ended well. */
  write(line: string | Buildable): void;
  writeToDb(database: string, line: string | Buildable): void;
  /** Writes at once; resolves when the row is durable, with `noSync` when it is accepted. */
  writeSync(line: string | Buildable, options?: { readonly noSync?: boolean }): Promise<void>;
  writeSyncToDb(database: string, line: string | Buildable, options?: { readonly noSync?: boolean }): Promise<void>;
  /** All rows of a SQL query. */
  query(sql: string, params?: Readonly<Record<string, Value | null>>, options?: { readonly database?: string }): Promise<QueryRow[]>;
  readonly cache: Cache;
}

/** Arguments of the trigger; null = it has none. */
export type Arguments = Readonly<Record<string, string>> | null;

/** Entry point of triggers on writes. */
export type ProcessWrites = (api: Api, tableBatches: readonly TableBatch[], args: Arguments) => void | Promise<void>;

/** Entry point of triggers on a schedule. */
export type ProcessScheduledCall = (api: Api, callTime: Date, args: Arguments) => void | Promise<void>;

export interface PluginRequest {
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** A body that is made piece by piece, as by a generator. What is longer than 1 MiB is sent while it is made. */
export type AnswerPieces = Generator<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

const RESPONSE = Symbol.for('influxdb3-serve.PluginResponse');

/** An answer with a status. Plugins also have it as a global. */
export class PluginResponse {
  /** Also true for an instance of another copy of this package. */
  static isOne(value: unknown): value is PluginResponse {
    return typeof value === 'object' && value !== null && (value as { [RESPONSE]?: unknown })[RESPONSE] === true;
  }

  readonly [RESPONSE] = true;
  readonly body: string | Uint8Array | object | AnswerPieces;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    body: string | Uint8Array | object | AnswerPieces,
    init: { readonly status?: number; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    this.body = body;
    this.status = init.status ?? 200;
    this.headers = init.headers ?? {};
  }
}

/** A text is sent as HTML, an object or a list as JSON, pieces as they are made, as HTML if a `PluginResponse` names no other type. */
export type RequestAnswer = string | object | PluginResponse | Response | AnswerPieces;

/** Entry point of triggers on HTTP requests. */
export type ProcessRequest = (api: Api, request: PluginRequest, args: Arguments) => RequestAnswer | Promise<RequestAnswer>;
