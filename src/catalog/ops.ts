import type { ColumnType } from '../shared/column-type.ts';
import type { CatalogSequence, DatabaseId, DistinctCacheId, LastCacheId, TableId, TokenId, TriggerId } from '../shared/ids.ts';
import type {
  DistinctCacheDefinition,
  LastCacheDefinition,
  NodeRecord,
  ResourceTokenRecord,
  TokenRecord,
  TriggerDefinition,
} from './definitions.ts';

/**
 * Smallest steps of a catalog change: what a log file holds and what `CatalogState.apply` does. They carry every id, so
 * applying the same steps to the same state always gives the same state. All members are plain JSON; nanoseconds are
 * decimal text because they exceed 2^53.
 */
export type CatalogOp =
  | { readonly op: 'set_gen1_duration'; readonly secs: number }
  | { readonly op: 'put_node'; readonly node: NodeRecord }
  | { readonly op: 'create_database'; readonly id: DatabaseId; readonly name: string; readonly retentionNs?: string }
  | { readonly op: 'set_database_retention'; readonly db: DatabaseId; readonly retentionNs?: string }
  /** `policy` absent = what names no policy goes to the database itself. */
  | { readonly op: 'set_default_policy'; readonly db: DatabaseId; readonly policy?: string }
  /** Absent members = not set. */
  | { readonly op: 'set_policy_shards'; readonly db: DatabaseId; readonly shardDurationNs?: string; readonly replicas?: number }
  | { readonly op: 'delete_database'; readonly db: DatabaseId; readonly newName: string; readonly hardDeleteNs?: string }
  | { readonly op: 'undelete_database'; readonly db: DatabaseId; readonly newName: string }
  | { readonly op: 'drop_database'; readonly db: DatabaseId }
  | { readonly op: 'create_table'; readonly db: DatabaseId; readonly id: TableId; readonly name: string }
  | { readonly op: 'add_columns'; readonly db: DatabaseId; readonly table: TableId; readonly columns: readonly ColumnEntry[] }
  | { readonly op: 'set_table_retention'; readonly db: DatabaseId; readonly table: TableId; readonly retentionNs?: string }
  | {
      readonly op: 'delete_table';
      readonly db: DatabaseId;
      readonly table: TableId;
      readonly newName: string;
      readonly hardDeleteNs?: string;
      /** It goes because its database goes. Absent in changes of versions that did not note it. */
      readonly withDatabase?: boolean;
    }
  | { readonly op: 'undelete_table'; readonly db: DatabaseId; readonly table: TableId; readonly newName: string }
  | { readonly op: 'drop_table'; readonly db: DatabaseId; readonly table: TableId }
  | { readonly op: 'create_last_cache'; readonly db: DatabaseId; readonly table: TableId; readonly cache: LastCacheDefinition }
  | { readonly op: 'drop_last_cache'; readonly db: DatabaseId; readonly table: TableId; readonly id: LastCacheId }
  | { readonly op: 'create_distinct_cache'; readonly db: DatabaseId; readonly table: TableId; readonly cache: DistinctCacheDefinition }
  | { readonly op: 'drop_distinct_cache'; readonly db: DatabaseId; readonly table: TableId; readonly id: DistinctCacheId }
  | { readonly op: 'put_trigger'; readonly db: DatabaseId; readonly trigger: TriggerDefinition }
  | { readonly op: 'drop_trigger'; readonly db: DatabaseId; readonly id: TriggerId }
  /** An admin token. */
  | { readonly op: 'put_token'; readonly token: TokenRecord }
  /** A step of its own, so that a version that knows admin tokens only cannot take it for one. */
  | { readonly op: 'put_resource_token'; readonly token: ResourceTokenRecord }
  | { readonly op: 'drop_token'; readonly id: TokenId };

/** Name and type; ids follow from the order. */
export type ColumnEntry = readonly [name: string, type: ColumnType];

/** One durable change, as listeners see it. `ops` were applied just before. */
export interface CatalogChange {
  readonly sequence: CatalogSequence;
  /** When it was made, ns since the epoch. */
  readonly timeNs: bigint;
  readonly ops: readonly CatalogOp[];
}
