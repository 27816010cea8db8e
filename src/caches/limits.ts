/**
 * Estimated bytes that one cache may hold. Above, the keys (last-value) or value combinations (distinct) that were
 * written longest ago leave, as if their time had run out.
 */
export const CACHE_BYTES_MAX = 128 * 1024 * 1024;

/** Share of the limit that is left after entries had to leave, so that it does not happen at every write. */
export const CACHE_KEPT_SHARE = 0.9;

/** Rows that filling one cache from stored data may read. */
export const HISTORY_ROWS_MAX = 1_000_000;

/** How long a cache is filled from stored data before it is used with what it has, ms. */
export const HISTORY_TIMEOUT_MS = 10_000;
