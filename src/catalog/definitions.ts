/** What the catalog stores about everything that is not a database, table or column. All objects are immutable. */

/** Last-value cache. Columns are ids of the table. */
export interface LastCacheDefinition {
  readonly id: number;
  readonly name: string;
  readonly keyColumnIds: readonly number[];
  /** Undefined = all columns that are not keys, also future ones. */
  readonly valueColumnIds: readonly number[] | undefined;
  /** Rows kept per key. */
  readonly count: number;
  readonly ttlSecs: number;
}

/** Distinct-value cache. */
export interface DistinctCacheDefinition {
  readonly id: number;
  readonly name: string;
  readonly columnIds: readonly number[];
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
  readonly id: number;
  readonly name: string;
  readonly pluginFilename: string;
  readonly spec: TriggerSpec;
  readonly runAsync: boolean;
  readonly errorBehavior: TriggerErrorBehavior;
  /** Null = none were given, which plugins can tell from an empty map. */
  readonly arguments: Readonly<Record<string, string>> | null;
  readonly disabled: boolean;
}

/** Admin token. The token itself is never stored. */
export interface TokenRecord {
  readonly id: number;
  readonly name: string;
  /** SHA-512 of the token text, 128 lower-case hex digits. */
  readonly hash: string;
  /** Epoch milliseconds, as all times here. */
  readonly createdAtMs: number;
  readonly createdById: number | undefined;
  readonly updatedAtMs: number | undefined;
  readonly updatedById: number | undefined;
  /** Undefined = never. */
  readonly expiryMs: number | undefined;
  readonly description: string | undefined;
}

/** A server process that uses this catalog. */
export interface NodeRecord {
  readonly id: number;
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
