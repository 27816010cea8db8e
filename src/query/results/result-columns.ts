import type { DuckDBType } from '@duckdb/node-api';
import type { ExpectedColumn, ResultColumn, ResultType } from '../result.ts';
import { NS_PER_TICK, TYPE_ID } from './result-type-ids.ts';

/** Columns of a result: types from the compiler where they fit DuckDB's, else DuckDB's. */
export function resultColumns(expected: readonly ExpectedColumn[], types: readonly DuckDBType[]): readonly ResultColumn[] {
  return expected.map(({ name, type, stored, required }, index) => ({
    name,
    type: resultTypeOf(types[index] as DuckDBType, type),
    stored,
    required,
  }));
}

/** The type of a parameter; undefined = DuckDB cannot tell. */
export function parameterType(type: DuckDBType): ResultType | undefined {
  return OPEN_TYPES.has(type.typeId as number) ? undefined : ownType(type);
}

/** DuckDB's `INVALID`, `ANY` and `SQLNULL`. */
const OPEN_TYPES: ReadonlySet<number> = new Set([0, 34, TYPE_ID.SQLNULL]);

/** How a column of DuckDB's type is shown. A hint that DuckDB's values cannot be read as counts for nothing. */
export function resultTypeOf(type: DuckDBType, hint: ResultType | undefined): ResultType {
  const id: number = type.typeId;
  switch (hint?.kind) {
    case 'string':
    case 'null':
      return hint;
    case 'timestamp':
      return NS_PER_TICK[id] !== undefined || id === TYPE_ID.DATE ? hint : ownType(type);
    case 'duration':
      return id === TYPE_ID.BIGINT || id === TYPE_ID.INTERVAL ? hint : ownType(type);
    case 'interval':
      return id === TYPE_ID.INTERVAL || isFineInterval(type) ? hint : ownType(type);
    case 'int64':
    case 'uint64':
    case 'float64':
      return numeric.has(id) ? hint : ownType(type);
    case 'list':
      return 'valueType' in type && id !== TYPE_ID.MAP ? { kind: 'list', item: resultTypeOf(type.valueType, hint.item) } : ownType(type);
    case 'map':
      if (!('keyType' in type)) return ownType(type);
      return { kind: 'map', key: resultTypeOf(type.keyType, hint.key), value: resultTypeOf(type.valueType, hint.value) };
    case 'struct':
      return (
        structType(
          type,
          hint.members.map((member) => member.type),
        ) ?? ownType(type)
      );
    default:
      return ownType(type);
  }
}

/** The struct in which intervals with nanoseconds are computed. */
function isFineInterval(type: DuckDBType): boolean {
  return 'entryNames' in type && String(type.entryNames) === 'm,d,n';
}

const numeric = new Set<number>([
  TYPE_ID.TINYINT,
  TYPE_ID.SMALLINT,
  TYPE_ID.INTEGER,
  TYPE_ID.BIGINT,
  TYPE_ID.UTINYINT,
  TYPE_ID.USMALLINT,
  TYPE_ID.UINTEGER,
  TYPE_ID.UBIGINT,
  TYPE_ID.HUGEINT,
  TYPE_ID.UHUGEINT,
  TYPE_ID.FLOAT,
  TYPE_ID.DOUBLE,
  TYPE_ID.DECIMAL,
]);

const plainTypes: Readonly<Record<number, ResultType>> = {
  [TYPE_ID.BOOLEAN]: { kind: 'boolean' },
  [TYPE_ID.TINYINT]: { kind: 'int8' },
  [TYPE_ID.SMALLINT]: { kind: 'int16' },
  [TYPE_ID.INTEGER]: { kind: 'int32' },
  [TYPE_ID.UTINYINT]: { kind: 'uint8' },
  [TYPE_ID.USMALLINT]: { kind: 'uint16' },
  [TYPE_ID.UINTEGER]: { kind: 'uint32' },
  [TYPE_ID.BIGINT]: { kind: 'int64' },
  [TYPE_ID.UBIGINT]: { kind: 'uint64' },
  [TYPE_ID.HUGEINT]: { kind: 'hugeint', signed: true },
  [TYPE_ID.UHUGEINT]: { kind: 'hugeint', signed: false },
  [TYPE_ID.FLOAT]: { kind: 'float32' },
  [TYPE_ID.DOUBLE]: { kind: 'float64' },
  [TYPE_ID.TIMESTAMP]: { kind: 'timestamp', zone: undefined, unit: 'us' },
  [TYPE_ID.TIMESTAMP_S]: { kind: 'timestamp', zone: undefined, unit: 's' },
  [TYPE_ID.TIMESTAMP_MS]: { kind: 'timestamp', zone: undefined, unit: 'ms' },
  [TYPE_ID.TIMESTAMP_NS]: { kind: 'timestamp', zone: undefined },
  [TYPE_ID.TIMESTAMP_TZ]: { kind: 'timestamp', zone: 'UTC', unit: 'us' },
  [TYPE_ID.DATE]: { kind: 'date' },
  [TYPE_ID.TIME]: { kind: 'time' },
  [TYPE_ID.TIME_NS]: { kind: 'time' },
  [TYPE_ID.INTERVAL]: { kind: 'interval' },
  [TYPE_ID.BLOB]: { kind: 'binary' },
  [TYPE_ID.ENUM]: { kind: 'string', dictionary: true },
  [TYPE_ID.SQLNULL]: { kind: 'null' },
};

/** DuckDB's type as clients see it. */
function ownType(type: DuckDBType): ResultType {
  const id: number = type.typeId;
  if (id === TYPE_ID.DECIMAL && 'scale' in type) return { kind: 'decimal', precision: type.width, scale: type.scale };
  if (id === TYPE_ID.MAP && 'keyType' in type) return { kind: 'map', key: ownType(type.keyType), value: ownType(type.valueType) };
  if ((id === TYPE_ID.LIST || id === TYPE_ID.ARRAY) && 'valueType' in type) return { kind: 'list', item: ownType(type.valueType) };
  return structType(type, []) ?? plainTypes[id] ?? { kind: 'string', dictionary: false };
}

function structType(type: DuckDBType, hints: readonly ResultType[]): ResultType | undefined {
  if ((type.typeId as number) !== TYPE_ID.STRUCT || !('entryTypes' in type) || !('entryNames' in type)) return undefined;
  const fits = hints.length === type.entryTypes.length;
  const members = type.entryTypes.map((entry, i) => ({
    name: type.entryNames[i] as string,
    type: resultTypeOf(entry, fits ? hints[i] : undefined),
  }));
  return { kind: 'struct', members };
}
