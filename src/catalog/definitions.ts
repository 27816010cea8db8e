/** What the catalog stores about everything that is not a database, table or column. All objects are immutable. */
import type { ColumnId, DistinctCacheId, LastCacheId, NodeNumber, TokenId, TriggerId } from '../shared/ids.ts';
import type { TokenPermission } from '../shared/token-permissions.ts';

/** Last-value cache. Columns are ids of the table. */
export interface LastCacheDefinition {
  readonly id: LastCacheId;
  readonly name: string;
  readonly keyColumnIds: readonly ColumnId[];
  /** Undefined = all columns that are not keys, also future ones. */
  readonly valueColumnIds: readonly ColumnId[] | undefined;
  /** Rows kept per key. */
  readonly count: number;
  readonly ttlSecs: number;
}

/** Distinct-value cache. */
export interface DistinctCacheDefinition {
  readonly id: DistinctCacheId;
  readonly name: string;
  readonly columnIds: readonly ColumnId[];
  readonly maxCardinality: number;
  readonly maxAgeSecs: number;
}

/** When a trigger runs. */
export type TriggerSpec =
  | { readonly kind: 'table'; readonly table: string }
  | { readonly kind: 'all_tables' }
  | { readonly kind: 'schedule'; readonly cron: string }
  | { readonly kind: 'every'; readonly secs: number; readonly nanos: number }
  | { readonly kind: 'request'; readonly path: string };

export type TriggerErrorBehavior = 'log' | 'retry' | 'disable';

/** Processing-engine trigger. */
export interface TriggerDefinition {
  readonly id: TriggerId;
  readonly name: string;
  readonly pluginFilename: string;
  readonly spec: TriggerSpec;
  readonly runAsync: boolean;
  readonly errorBehavior: TriggerErrorBehavior;
  /** Null = none were given, which plugins can tell from an empty map. */
  readonly arguments: Readonly<Record<string, string>> | null;
  readonly disabled: boolean;
}

/** An admin token, or with permissions a resource token. The token itself is never stored. */
export interface TokenRecord {
  readonly id: TokenId;
  readonly name: string;
  /** SHA-512 of the token text, 128 lower-case hex digits. */
  readonly hash: string;
  /** Epoch milliseconds, as all times here. */
  readonly createdAtMs: number;
  readonly createdById: TokenId | undefined;
  readonly updatedAtMs: number | undefined;
  readonly updatedById: TokenId | undefined;
  /** Undefined = never. */
  readonly expiryMs: number | undefined;
  readonly description: string | undefined;
  /** Undefined = an admin token, which may do everything. */
  readonly permissions?: readonly TokenPermission[] | undefined;
}

/** A token that may do what its permissions say, and nothing else. */
export type ResourceTokenRecord = TokenRecord & { readonly permissions: readonly TokenPermission[] };

/** A server process that uses this catalog. */
export interface NodeRecord {
  readonly id: NodeNumber;
  readonly nodeId: string;
  /** UUIDv4, made at the first registration and kept. */
  readonly instanceId: string;
  readonly mode: readonly string[];
  readonly cores: number;
  readonly state: 'running' | 'stopped';
  /** UUID of the process of the last registration. */
  readonly processUuid: string;
  /** JSON object text, secrets already masked. */
  readonly cliParams: string | undefined;
  readonly updatedAtMs: number;
}
