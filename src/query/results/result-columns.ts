import type { DuckDBType } from '@duckdb/node-api';
import type { ResultColumn, ResultType } from '../result.ts';
import { TYPE_ID } from './result-type-ids.ts';

/**
 * Columns of a result: names as clients see them, types from the compiler's hints where it has one, else from the
 * engine.
 */
export function resultColumns(
  names: readonly string[],
  types: readonly DuckDBType[],
  hints: readonly (ResultType | undefined)[],
): readonly ResultColumn[] {
  return types.map((type, index) => ({ name: names[index] ?? '', type: hints[index] ?? engineType(type.typeId) }));
}

function engineType(typeId: number): ResultType {
  switch (typeId) {
    case TYPE_ID.BOOLEAN:
      return { kind: 'boolean' };
    case TYPE_ID.TINYINT:
    case TYPE_ID.SMALLINT:
    case TYPE_ID.INTEGER:
    case TYPE_ID.UTINYINT:
    case TYPE_ID.USMALLINT:
      return { kind: 'int32' };
    case TYPE_ID.UINTEGER:
    case TYPE_ID.BIGINT:
      return { kind: 'int64' };
    case TYPE_ID.UBIGINT:
      return { kind: 'uint64' };
    case TYPE_ID.FLOAT:
      return { kind: 'float32' };
    case TYPE_ID.DOUBLE:
    case TYPE_ID.DECIMAL:
      return { kind: 'float64' };
    case TYPE_ID.TIMESTAMP:
    case TYPE_ID.TIMESTAMP_S:
    case TYPE_ID.TIMESTAMP_MS:
    case TYPE_ID.TIMESTAMP_NS:
      return { kind: 'timestamp', zone: undefined };
    case TYPE_ID.TIMESTAMP_TZ:
      return { kind: 'timestamp', zone: 'UTC' };
    case TYPE_ID.DATE:
      return { kind: 'date' };
    case TYPE_ID.BLOB:
      return { kind: 'binary' };
    case TYPE_ID.ENUM:
      return { kind: 'string', dictionary: true };
    case TYPE_ID.SQLNULL:
      return { kind: 'null' };
    case TYPE_ID.HUGEINT:
    case TYPE_ID.UHUGEINT:
    case TYPE_ID.INTERVAL:
    case TYPE_ID.LIST:
    case TYPE_ID.STRUCT:
    case TYPE_ID.MAP:
    case TYPE_ID.ARRAY:
    case TYPE_ID.UNION:
      return { kind: 'nested' };
    default:
      return { kind: 'string', dictionary: false };
  }
}
