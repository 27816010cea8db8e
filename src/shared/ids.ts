/**
 * Numbers that name things. A plain number is taken for any of them; one kind is never taken for another, so ids that change
 * places in a call do not compile.
 */
type Id<Kind extends string> = number & { readonly idKind?: Kind };

/** Of a database, in the catalog. */
export type DatabaseId = Id<'database'>;
/** Of a table within its database. */
export type TableId = Id<'table'>;
/** Of a column within its table. */
export type ColumnId = Id<'column'>;
/** Of a series within one `SeriesIndex`; means nothing outside of it. */
export type SeriesId = Id<'series'>;
/** Of a Parquet file. */
export type FileId = Id<'file'>;
/** Of a file of the write-ahead log: its place in the log. */
export type WalFileNumber = Id<'wal file'>;
/** Of a change of the catalog: its place in the log of changes. */
export type CatalogSequence = Id<'catalog change'>;
/** Of a snapshot info: its place among the changes of the live files. */
export type SnapshotSequence = Id<'snapshot'>;
/** Of a trigger within its database. */
export type TriggerId = Id<'trigger'>;
/** Of a last-value cache within its table. */
export type LastCacheId = Id<'last-value cache'>;
/** Of a distinct-value cache within its table. */
export type DistinctCacheId = Id<'distinct-value cache'>;
/** Of a token, in the catalog. */
export type TokenId = Id<'token'>;
/** Of a node, in the catalog; its name is `nodeId`, a text. */
export type NodeNumber = Id<'node'>;
