import type { QueryResult } from '../../query/result.ts';
import type { WalBatch } from '../delivery/wal-rows.ts';
import type { PluginCode } from '../plugins/plugin-code.ts';
import type { EngineResponse } from '../processing-service.ts';
import type { TriggerLogLevel } from '../trigger-log.ts';

export type CallKind = 'wal' | 'schedule' | 'request';

/** What one call of a plugin is about. */
export type CallInput =
  | { readonly kind: 'wal'; readonly batches: readonly WalBatch[] }
  /** Epoch ms. */
  | { readonly kind: 'schedule'; readonly timeMs: number }
  | {
      readonly kind: 'request';
      readonly query: Readonly<Record<string, string>>;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: Uint8Array;
    };

export interface PluginCall {
  readonly code: PluginCode;
  /** Database of the trigger. */
  readonly database: string;
  /** Null = the trigger has none. */
  readonly args: Readonly<Record<string, string>> | null;
  readonly input: CallInput;
  /** Names the caches of the call: triggers have one pair, each `cache_name` of dry runs another. */
  readonly cacheName: string;
}

/** Why a call of a plugin failed. */
export class PluginFailure extends Error {
  readonly kind: 'exception' | 'entry' | 'import' | 'response' | 'died' | 'timeout' | 'stopped';
  /** Where it happened, for the server's log. */
  readonly trace: string | undefined;

  constructor(kind: PluginFailure['kind'], text: string, trace?: string) {
    super(text);
    this.name = 'PluginFailure';
    this.kind = kind;
    this.trace = trace;
  }
}

/** Values of `$name`; bigints are whole numbers, numbers are not. */
export type QueryParams = Readonly<Record<string, string | bigint | number | boolean | null>>;

/** What comes before the body of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: EngineResponse['headers'];
  /** Bytes of the whole body, if they are known. */
  readonly length: number | undefined;
}

/** Answers with more bytes are handed over in pieces of about as many. */
export const ANSWER_PIECE_BYTES = 1024 * 1024;

/** What a plugin may ask of the server while it is called. */
export interface PluginCalls {
  log(level: TriggerLogLevel, text: string): void;
  /** Lines that are written when the call has ended well. Throws when they are too many. */
  queue(database: string, lines: string): void;
  /** Rejects with the text that the plugin sees. */
  write(database: string, lines: string, noSync: boolean): Promise<void>;
  /** Rejects with the text that the plugin sees. */
  query(database: string, sql: string, params: QueryParams, signal: AbortSignal): Promise<QueryResult>;
  /** A piece of a long answer; the head is that of the first. Resolves with whether more is wanted. */
  answer(head: AnswerHead, piece: Uint8Array): Promise<boolean>;
  /** The cache that all triggers share. Values are bytes that only hosts of the same language understand. */
  readonly sharedCache: SharedCache;
}

/** Cache of the whole server. */
export interface SharedCache {
  put(key: string, value: Uint8Array, ttlMs: number | undefined): void;
  get(key: string): Uint8Array | undefined;
  delete(key: string): boolean;
}

/** Runs a trigger's plugin, apart from the server's own thread. One host serves one trigger, or all dry runs. */
export interface PluginHost {
  /** Starts what calls need, so that their time limit is not used up by it. Rejects with `PluginFailure`. */
  ready(code: PluginCode): Promise<void>;
  /** Calls the plugin. Resolves with the answer of a request plugin, if it did not go in pieces; rejects with `PluginFailure`. */
  call(call: PluginCall, calls: PluginCalls, signal: AbortSignal): Promise<EngineResponse | undefined>;
  /** From now on what running calls ask of the server fails, and no call is begun. Their answers may still go to clients. Idempotent. */
  refuseCalls(): void;
  /** Ends it whatever it does; what runs fails with `PluginFailure`. Bounded in time, idempotent. */
  stop(): Promise<void>;
  /** How often the process or worker behind it was started. */
  readonly starts: number;
}
