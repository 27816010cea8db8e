import type { BlockHead } from '../calls/blocks.ts';
import type { AnswerHead, CallKind, QueryParams } from '../calls/plugin-host.ts';

/** What the worker of a JavaScript plugin begins with. */
export interface WorkerSettings {
  /** File to load, or source text of a plugin that was fetched. */
  readonly plugin: { readonly file: string } | { readonly source: string; readonly name: string };
  /** The cache of a worker before it. */
  readonly cache: readonly CacheEntry[];
}

/** A cached value that outlives its worker. */
export interface CacheEntry {
  readonly cacheName: string;
  readonly key: string;
  readonly value: unknown;
  /** Epoch ms. */
  readonly expiresMs: number | undefined;
}

export interface CallMessage {
  readonly type: 'call';
  readonly id: number;
  readonly kind: CallKind;
  readonly database: string;
  readonly args: Readonly<Record<string, string>> | null;
  readonly cacheName: string;
  readonly heads?: readonly BlockHead[];
  readonly data?: Uint8Array;
  readonly timeMs?: number;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

export type ToWorker =
  | CallMessage
  /** Answer to a question. */
  | { readonly type: 'answer'; readonly question: number; readonly value?: unknown; readonly error?: string; readonly errorName?: string }
  /** Rows of a query; the worker asks for the next ones. */
  | { readonly type: 'rows'; readonly question: number; readonly heads: readonly BlockHead[]; readonly data: Uint8Array }
  | { readonly type: 'export' }
  /** What calls ask for fails from now on. */
  | { readonly type: 'refuse' };

export type Question =
  | { readonly op: 'write'; readonly database: string; readonly lines: string; readonly noSync: boolean }
  | { readonly op: 'query'; readonly database: string; readonly sql: string; readonly params: QueryParams }
  | { readonly op: 'put'; readonly key: string; readonly value: Uint8Array; readonly ttlMs: number | undefined }
  | { readonly op: 'get' | 'delete'; readonly key: string }
  /** A piece of a long answer; whether more is wanted comes back. */
  | { readonly op: 'answer'; readonly head: AnswerHead; readonly piece: Uint8Array };

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'log'; readonly call: number; readonly level: 'INFO' | 'WARN' | 'ERROR'; readonly text: string }
  | { readonly type: 'queue'; readonly call: number; readonly database: string; readonly lines: string }
  | { readonly type: 'ask'; readonly call: number; readonly question: number; readonly what: Question }
  | { readonly type: 'next'; readonly question: number }
  | { readonly type: 'done'; readonly call: number; readonly response?: WorkerResponse }
  | {
      readonly type: 'fail';
      readonly call: number;
      readonly kind: 'exception' | 'entry' | 'import' | 'response';
      readonly text: string;
      readonly trace: string | undefined;
    }
  | { readonly type: 'exported'; readonly entries: readonly CacheEntry[] };

export interface WorkerResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
}
