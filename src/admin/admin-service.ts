import type { PolicyShards } from '../catalog/index.ts';
import type { PluginService, TriggerService } from '../processing/processing-service.ts';
import type { TokenPermission } from '../shared/token-permissions.ts';

/**
 * What the configure endpoints need of the catalog and the processing engine. Every method throws
 * `InfluxError` with the exact client text (not found, exists, limits, invalid names). The app wires it.
 */
export interface AdminService {
  readonly databases: DatabaseAdmin;
  readonly tables: TableAdmin;
  readonly caches: CacheAdmin;
  readonly tokens: TokenAdmin;
  readonly triggers: TriggerService;
  readonly plugins: PluginService;
}

/** When deleted data goes for good; `at` is a wall-clock time in ms. */
export type HardDelete = { readonly kind: 'now' | 'never' | 'default' } | { readonly kind: 'at'; readonly timeMs: number };

export interface DatabaseListing {
  readonly name: string;
  readonly deleted: boolean;
  /** Undefined = for ever. */
  readonly retentionPeriodNs?: bigint | undefined;
}

export interface DatabaseAdmin {
  /** All databases with `_internal`, live ones first, then by name. */
  list(options: { readonly showDeleted: boolean }): readonly DatabaseListing[];
  create(options: { readonly name: string; readonly retentionPeriodNs: bigint | undefined }): Promise<void>;
  /** PUT and the retention endpoints; undefined clears. */
  setRetention(options: { readonly name: string; readonly retentionPeriodNs: bigint | undefined }): Promise<void>;
  /** Where rows of v1 and v2 clients go that name no retention policy; undefined = to the database itself. */
  setDefaultPolicy(options: { readonly name: string; readonly policy: string | undefined }): Promise<void>;
  /** What a v1 client says about shards and replicas of the retention policy that the database is; shown, without effect. */
  setPolicyShards(options: { readonly name: string; readonly shards: PolicyShards }): Promise<void>;
  delete(options: { readonly name: string; readonly hardDelete: HardDelete }): Promise<void>;
  /** Takes a delete back; `newName` undefined = the name before it. */
  undelete(options: { readonly name: string; readonly newName: string | undefined }): Promise<void>;
}

export interface NewField {
  readonly name: string;
  readonly type: 'utf8' | 'int64' | 'uint64' | 'float64' | 'bool';
}

export interface TableAdmin {
  create(options: {
    readonly database: string;
    readonly table: string;
    readonly tags: readonly string[];
    readonly fields: readonly NewField[];
  }): Promise<void>;
  delete(options: { readonly database: string; readonly table: string; readonly hardDelete: HardDelete }): Promise<void>;
  undelete(options: { readonly database: string; readonly table: string; readonly newName: string | undefined }): Promise<void>;
}

export interface CacheTarget {
  readonly database: string;
  readonly table: string;
  readonly name: string;
}

export interface NewLastCache {
  readonly database: string;
  readonly table: string;
  readonly name: string | undefined;
  readonly keyColumns: readonly string[] | undefined;
  readonly valueColumns: readonly string[] | undefined;
  readonly count: bigint | undefined;
  readonly ttlSecs: bigint | undefined;
}

export interface NewDistinctCache {
  readonly database: string;
  readonly table: string;
  readonly name: string | undefined;
  readonly columns: readonly string[];
  readonly maxCardinality: bigint | undefined;
  readonly maxAgeSecs: bigint | undefined;
}

export interface CacheAdmin {
  /** Resolves to the catalog batch that clients get, ready for JSON; bigints are written as numbers. */
  createLast(options: NewLastCache): Promise<unknown>;
  deleteLast(target: CacheTarget): Promise<void>;
  createDistinct(options: NewDistinctCache): Promise<unknown>;
  deleteDistinct(target: CacheTarget): Promise<void>;
}

/** A token just made; the only time its text is known. */
export interface CreatedToken {
  readonly id: bigint;
  readonly name: string;
  readonly token: string;
  /** SHA-512 of the token, 128 lower-case hex digits. */
  readonly hash: string;
  readonly createdAtMs: number;
  readonly expiryMs: number | undefined;
}

export interface TokenAdmin {
  createOperator(): Promise<CreatedToken>;
  regenerateOperator(): Promise<CreatedToken>;
  createNamed(options: { readonly name: string; readonly expirySecs: bigint | undefined }): Promise<CreatedToken>;
  /** A token that may do what the permissions say and nothing else. */
  createResource(options: {
    readonly name: string;
    readonly permissions: readonly TokenPermission[];
    readonly expirySecs: bigint | undefined;
  }): Promise<CreatedToken>;
  delete(name: string): Promise<void>;
}
