import { type ColumnType, ioxColumnType } from '../shared/column-type.ts';
import { InfluxError, type InfluxErrorInit } from '../shared/errors.ts';

/** A line or request does not fit the schema. The message is the wire text of a line error. */
export class SchemaError extends InfluxError {
  constructor(init: InfluxErrorInit) {
    super(init);
    this.name = 'SchemaError';
  }
}

/** 400: the name (`time`, `__chunk_order`) cannot be a tag or a field. */
export function reservedColumn(name: string): SchemaError {
  return new SchemaError({ code: 'RESERVED_COLUMN', message: `'${name}' is a reserved column`, status: 400 });
}

/** 400: the column is there with another type than the line or request gives it. */
export function columnTypeConflict(name: string, expected: ColumnType, got: ColumnType): SchemaError {
  const message = `invalid column type for column '${name}', expected ${ioxColumnType(expected)}, got ${ioxColumnType(got)}`;
  return new SchemaError({ code: 'COLUMN_TYPE_CONFLICT', message, status: 400 });
}

/** 422: `--max-databases` is reached; deleted databases do not count. */
export function databaseLimitExceeded(limit: number): SchemaError {
  const message = `Adding a new database would exceed limit of ${limit} databases`;
  return new SchemaError({ code: 'DATABASE_LIMIT', message, status: 422, shape: 'json' });
}

/** 422: `--max-tables` is reached. */
export function tableLimitExceeded(existing: number, limit: number): SchemaError {
  const message =
    'Update to schema would exceed number of tables limit: ' +
    `attempted to create table but already have ${existing} table(s) (limit: ${limit})`;
  return new SchemaError({ code: 'TABLE_LIMIT', message, status: 422, shape: 'json' });
}

/** 422: `--max-columns-per-table` is reached; `time` does not count. */
export function columnLimitExceeded(limit: number): SchemaError {
  const message = `Update to schema would exceed number of columns per table limit of ${limit} columns`;
  return new SchemaError({ code: 'COLUMN_LIMIT', message, status: 422, shape: 'json' });
}

/** 400: a write to a database that was deleted and not yet removed for good. */
export function writeToDeletedDatabase(name: string): InfluxError {
  const message = `cannot write to soft-deleted database '${name}' - it is marked for deletion`;
  return new InfluxError({ code: 'DATABASE_DELETED', message, status: 400, shape: 'json' });
}

/** A name that breaks the rules for names (docs/api.md). */
export function invalidDatabaseName(message: string): InfluxError {
  return new InfluxError({ code: 'INVALID_DATABASE_NAME', message, status: 400, shape: 'json' });
}

/** 409: the name of a new database, table, cache or trigger is taken. */
export function alreadyExists(): InfluxError {
  return new InfluxError({ code: 'ALREADY_EXISTS', message: 'attempted to create a resource that already exists', status: 409 });
}

/** 409: an undelete of what is not deleted, or whose data is going; `reason` says which. */
export function notDeleted(name: string, reason: string): InfluxError {
  return new InfluxError({ code: 'NOT_DELETED', message: `'${name}' cannot be undeleted: ${reason}`, status: 409 });
}

/** 409: a change of a database or table that is deleted. */
export function alreadyDeleted(name: string): InfluxError {
  const message = `attempted to modify resource that was already deleted: ${name}`;
  return new InfluxError({ code: 'ALREADY_DELETED', message, status: 409 });
}

/** 404: nothing of the wanted kind has this name. */
export function resourceNotFound(name: string): InfluxError {
  return new InfluxError({ code: 'RESOURCE_NOT_FOUND', message: `the requested resource was not found: ${name}`, status: 404 });
}

/** 404: no database of this name, in requests about tables, caches and triggers. */
export function databaseMissing(database: string): InfluxError {
  return new InfluxError({ code: 'DATABASE_MISSING', message: `Database not found ${database}`, status: 404 });
}

/** 404: no table of this name in the database. */
export function tableMissing(table: string, database: string): InfluxError {
  return new InfluxError({ code: 'TABLE_MISSING', message: `Table ${table} not in DB schema for ${database}`, status: 404 });
}

/** 500, as InfluxDB 3 Core answers: `_internal` cannot be changed. */
export function cannotModifyInternal(): InfluxError {
  return new InfluxError({ code: 'INTERNAL_DATABASE', message: 'cannot modify internal db', status: 500 });
}

/** 500, as InfluxDB 3 Core answers: `_internal` cannot be deleted. */
export function cannotDeleteInternal(): InfluxError {
  return new InfluxError({ code: 'INTERNAL_DATABASE', message: 'cannot delete internal db', status: 500 });
}

/** 409: a named admin token of this name is there. */
export function tokenNameExists(name: string): InfluxError {
  return new InfluxError({ code: 'TOKEN_EXISTS', message: `token name already exists, ${name}`, status: 409 });
}

/** 500: there is no operator token that could be made anew. */
export function missingAdminToken(): InfluxError {
  return new InfluxError({ code: 'ADMIN_TOKEN_MISSING', message: 'missing admin token, cannot update', status: 500 });
}

/** 405: the operator token is made anew, never deleted. */
export function cannotDeleteOperatorToken(): InfluxError {
  return new InfluxError({ code: 'OPERATOR_TOKEN', message: 'cannot delete operator token', status: 405 });
}

/** `detail` follows `invalid configuration provided: `. */
export function invalidConfiguration(detail: string): InfluxError {
  return new InfluxError({ code: 'INVALID_CONFIGURATION', message: `invalid configuration provided: ${detail}`, status: 400 });
}

/** 400: the key of a last-value cache would have a column of another type than these. */
export function invalidLastCacheColumn(): InfluxError {
  const message = 'only uint64, int64, bool, tag, and string columns are supported in the last cache';
  return new InfluxError({ code: 'INVALID_CACHE_COLUMN', message, status: 400 });
}

/** 400: a distinct-value cache would have a column that is neither tag nor string field. */
export function invalidDistinctCacheColumn(): InfluxError {
  const message = 'only tag and string columns are supported in the distinct cache';
  return new InfluxError({ code: 'INVALID_CACHE_COLUMN', message, status: 400 });
}

/** 400: a last-value cache of no rows. */
export function lastCacheSizeZero(): InfluxError {
  return new InfluxError({ code: 'INVALID_CACHE_SIZE', message: 'last cache size must be greater than 0', status: 400 });
}

/** 400: a distinct-value cache of no values. */
export function cardinalityZero(): InfluxError {
  return new InfluxError({ code: 'INVALID_CACHE_SIZE', message: 'expected a nonzero usize', status: 400 });
}

/** 500, as InfluxDB 3 Core answers: an enabled trigger is deleted without `force`. */
export function triggerIsRunning(name: string): InfluxError {
  const message = `Cannot delete running plugin ${name}. Disable it first or use --force.`;
  return new InfluxError({ code: 'TRIGGER_RUNNING', message, status: 500 });
}

/** The change could not be made durable and did not happen. */
export function catalogWriteFailed(cause: unknown): InfluxError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new InfluxError({ code: 'CATALOG_WRITE_FAILED', message: `catalog write failed: ${detail}`, status: 500, cause });
}

/** The object store has not answered in time; the change may still take place. */
export function catalogUnavailable(): InfluxError {
  const message = 'catalog write failed: the object store does not answer; try again';
  return new InfluxError({ code: 'CATALOG_UNAVAILABLE', message, status: 503 });
}

/** 500: a change after the catalog was closed; nothing of it is stored. */
export function catalogClosed(): InfluxError {
  return new InfluxError({ code: 'CATALOG_CLOSED', message: 'catalog is shut down and not accepting changes', status: 500 });
}
