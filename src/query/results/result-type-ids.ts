import { MS_NS, SECOND_NS, US_NS } from '../../shared/time-units.ts';

/**
 * DuckDB's type numbers. Copied, so that this file and its users load without the native module; a test compares them
 * with the binding's own.
 */
export const TYPE_ID = {
  BOOLEAN: 1,
  TINYINT: 2,
  SMALLINT: 3,
  INTEGER: 4,
  BIGINT: 5,
  UTINYINT: 6,
  USMALLINT: 7,
  UINTEGER: 8,
  UBIGINT: 9,
  FLOAT: 10,
  DOUBLE: 11,
  TIMESTAMP: 12,
  DATE: 13,
  TIME: 14,
  INTERVAL: 15,
  HUGEINT: 16,
  VARCHAR: 17,
  BLOB: 18,
  DECIMAL: 19,
  TIMESTAMP_S: 20,
  TIMESTAMP_MS: 21,
  TIMESTAMP_NS: 22,
  ENUM: 23,
  LIST: 24,
  STRUCT: 25,
  MAP: 26,
  TIMESTAMP_TZ: 31,
  UHUGEINT: 32,
  ARRAY: 33,
  SQLNULL: 36,
  TIME_NS: 39,
} as const;

/** Nanoseconds of one step of DuckDB's timestamps, by type number. A plain BIGINT counts nanoseconds. */
export const NS_PER_TICK: Readonly<Record<number, bigint>> = {
  [TYPE_ID.TIMESTAMP_NS]: 1n,
  [TYPE_ID.BIGINT]: 1n,
  [TYPE_ID.TIMESTAMP]: US_NS,
  [TYPE_ID.TIMESTAMP_TZ]: US_NS,
  [TYPE_ID.TIMESTAMP_MS]: MS_NS,
  [TYPE_ID.TIMESTAMP_S]: SECOND_NS,
};
