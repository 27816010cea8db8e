import type { ArrowField, ArrowSchema, ArrowType } from '../../shared/arrow/schema-message.ts';
import { ioxColumnType } from '../../shared/column-type.ts';
import type { ResultColumn, ResultType } from '../result.ts';

/** The Arrow schema of a result. Columns that stand for a stored column say which kind of column it is. */
export function arrowSchema(columns: readonly ResultColumn[], metadata?: ReadonlyMap<string, string>): ArrowSchema {
  return { fields: columns.map(arrowField), metadata };
}

function arrowField({ name, type, stored, required }: ResultColumn): ArrowField {
  const metadata = stored === undefined ? undefined : new Map([['iox::column::type', ioxColumnType(stored)]]);
  return { ...field(name, type, required !== true), metadata };
}

/** Names of the parts of lists and maps are those that Arrow's Rust implementation gives them. */
function field(name: string, type: ResultType, nullable = true): ArrowField {
  switch (type.kind) {
    case 'list':
      return { name, nullable, type: { kind: 'list' }, children: [field('item', type.item)] };
    case 'struct':
      return { name, nullable, type: { kind: 'struct' }, children: type.members.map((member) => field(member.name, member.type)) };
    case 'map': {
      const pair = [field('key', type.key, false), field('value', type.value)];
      return {
        name,
        nullable,
        type: { kind: 'map' },
        children: [{ name: 'entries', nullable: false, type: { kind: 'struct' }, children: pair }],
      };
    }
    default:
      return { name, nullable, type: plainType(type) };
  }
}

/** Digits of a decimal that holds whole numbers of 128 bits. */
const HUGEINT_PRECISION = 38;

function plainType(type: Exclude<ResultType, { kind: 'list' | 'struct' | 'map' }>): ArrowType {
  switch (type.kind) {
    case 'int8':
    case 'int16':
    case 'int32':
    case 'int64':
    case 'uint8':
    case 'uint16':
    case 'uint32':
    case 'uint64':
      return { kind: 'int', bits: INTEGER_BITS[type.kind], signed: type.kind.startsWith('i') };
    case 'float32':
      return { kind: 'float', bits: 32 };
    case 'float64':
      return { kind: 'float', bits: 64 };
    case 'string':
      return { kind: 'utf8' };
    case 'hugeint':
      return { kind: 'decimal', precision: HUGEINT_PRECISION, scale: 0 };
    case 'decimal':
      return type;
    case 'timestamp':
      return { kind: 'timestamp', unit: type.unit ?? 'ns', zone: type.zone };
    case 'time':
    case 'duration':
      return { kind: type.kind, unit: 'ns' };
    case 'boolean':
    case 'date':
    case 'binary':
    case 'interval':
    case 'null':
      return { kind: type.kind };
  }
}

const INTEGER_BITS = { int8: 8, int16: 16, int32: 32, int64: 64, uint8: 8, uint16: 16, uint32: 32, uint64: 64 } as const;
