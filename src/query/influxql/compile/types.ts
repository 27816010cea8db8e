/** Typed pieces of engine SQL and the arithmetic of the language. */
import type { ColumnType } from '../../../shared/column-type.ts';
import type { ResultType } from '../../result.ts';
import { quoteString } from '../../sql/types/quote.ts';
import { planError } from './errors.ts';
import type { BinaryOp, Cast, FieldType, Literal } from './ir.ts';

/** `null` = a column that does not exist. */
export type ValueType = FieldType | 'tag' | 'null';

export interface Value {
  /** Safe as an operand of any operator. */
  readonly sql: string;
  readonly type: ValueType;
}

export const missing: Value = { sql: 'NULL', type: 'null' };

/** A column type of the catalog in the language's words. */
export function valueType(type: Exclude<ColumnType, 'time'>): ValueType {
  return type === 'uinteger' ? 'unsigned' : type;
}

/** True for types that can be calculated with. */
export function isNumeric(type: ValueType): type is 'float' | 'integer' | 'unsigned' {
  return type === 'float' || type === 'integer' || type === 'unsigned';
}

/** DuckDB's type name. */
export function engineTypeName(type: ValueType): string {
  switch (type) {
    case 'float':
      return 'DOUBLE';
    case 'integer':
      return 'BIGINT';
    case 'unsigned':
      return 'UBIGINT';
    case 'boolean':
      return 'BOOLEAN';
    default:
      return 'VARCHAR';
  }
}

/** How clients see a column of this type. */
export function resultType(type: ValueType): ResultType {
  switch (type) {
    case 'float':
      return { kind: 'float64' };
    case 'integer':
      return { kind: 'int64' };
    case 'unsigned':
      return { kind: 'uint64' };
    case 'boolean':
      return { kind: 'boolean' };
    case 'string':
      return { kind: 'string', dictionary: false };
    case 'tag':
      return { kind: 'string', dictionary: true };
    case 'null':
      return { kind: 'null' };
  }
}

/** The kind of stored column that a column of this type counts as, computed or not. */
export function storedType(type: ValueType): ColumnType | undefined {
  if (type === 'null') return undefined;
  return type === 'unsigned' ? 'uinteger' : type;
}

/** The type that can hold both, widest first: float, integer, unsigned, string, boolean. Undefined = none. */
export function commonType(a: ValueType, b: ValueType): ValueType | undefined {
  if (a === b || b === 'null') return a;
  if (a === 'null') return b;
  if (!isNumeric(a) || !isNumeric(b)) return undefined;
  return a === 'float' || b === 'float' ? 'float' : 'integer';
}

/** A double as DuckDB SQL, also infinite ones, NaN and -0. */
export function floatSql(value: number): string {
  const text = Number.isFinite(value) ? String(value) : Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  return `CAST('${Object.is(value, -0) ? '-0.0' : text}' AS DOUBLE)`;
}

/** A 64-bit integer as DuckDB SQL. */
export function integerSql(value: bigint): string {
  return `CAST('${value}' AS BIGINT)`;
}

/** A literal of a statement as DuckDB SQL with its type. */
export function literalValue(literal: Literal): Value {
  switch (literal.kind) {
    case 'integer':
      return { sql: integerSql(literal.value), type: 'integer' };
    case 'unsigned':
      return { sql: `CAST('${literal.value}' AS UBIGINT)`, type: 'unsigned' };
    case 'float':
      return { sql: floatSql(literal.value), type: 'float' };
    case 'string':
      return { sql: quoteString(literal.value), type: 'string' };
    case 'boolean':
      return { sql: literal.value ? 'true' : 'false', type: 'boolean' };
    case 'duration':
    case 'timestamp':
      return { sql: integerSql(literal.ns), type: 'integer' };
    case 'regex':
      return missing;
  }
}

/** `column::type`. What cannot be converted is NULL. */
export function castValue(value: Value, cast: Cast | undefined): Value {
  if (cast === undefined || cast === value.type || value.type === 'null') return value;
  if (cast === 'field') return value.type === 'tag' ? missing : value;
  if (cast === 'tag') return missing;
  if (!isNumeric(cast) || !isNumeric(value.type)) return missing;
  return { sql: numericCast(value, cast), type: cast };
}

function numericCast(value: Value, cast: 'float' | 'integer' | 'unsigned'): string {
  if (cast === 'float') return `CAST(${value.sql} AS DOUBLE)`;
  const whole = value.type === 'float' ? `trunc(${value.sql})` : value.sql;
  return `TRY_CAST(${whole} AS ${cast === 'integer' ? 'BIGINT' : 'UBIGINT'})`;
}

/** A HUGEINT expression wrapped to 64 bits. */
export function wrapped(hugeint: string, type: 'integer' | 'unsigned'): string {
  if (type === 'unsigned') return `CAST((${hugeint}) & 18446744073709551615::HUGEINT AS UBIGINT)`;
  return `CAST((((${hugeint}) + 9223372036854775808::HUGEINT) & 18446744073709551615::HUGEINT) - 9223372036854775808::HUGEINT AS BIGINT)`;
}

/** @param inWhere conditions may mix signed and unsigned integers and join strings */
export function arithmetic(op: BinaryOp, left: Value, right: Value, inWhere: boolean): Value {
  const a = left.type === 'tag' ? 'string' : left.type;
  const b = right.type === 'tag' ? 'string' : right.type;
  if (a === 'null' || b === 'null') return missing;
  if (a === 'string' && b === 'string' && op === '+' && inWhere) return { sql: `(${left.sql} || ${right.sql})`, type: 'string' };
  if (op === '&' || op === '|' || op === '^') {
    if (a === 'boolean' && b === 'boolean') return bitwiseBoolean(op, left, right);
    if (isNumeric(a) && a !== 'float' && isNumeric(b) && b !== 'float') return bitwise(op, left, right, integerType(op, a, b, inWhere));
    throw planError(`incompatible operands for operator ${op}: ${a} and ${b}`);
  }
  if (!isNumeric(a) || !isNumeric(b)) throw planError(`incompatible operands for operator ${op}: ${a} and ${b}`);
  if (op === '/') return division(left, right);
  if (a === 'float' || b === 'float') return floatArithmetic(op, left, right);
  const type = integerType(op, a, b, inWhere);
  if (op === '%') {
    return { sql: `(CASE WHEN ${right.sql} = 0 THEN ${zeroUnlessNull(left)} ELSE ${left.sql} % ${right.sql} END)`, type };
  }
  return { sql: wrapped(`${left.sql}::HUGEINT ${op} ${right.sql}::HUGEINT`, type), type };
}

function integerType(op: BinaryOp, a: ValueType, b: ValueType, inWhere: boolean): 'integer' | 'unsigned' {
  if (a === b) return a as 'integer' | 'unsigned';
  if (!inWhere) throw planError(`cannot use ${op} between an integer and unsigned, an explicit cast is required`);
  return 'integer';
}

function zeroUnlessNull(value: Value): string {
  return `CASE WHEN ${value.sql} IS NOT NULL THEN 0 END`;
}

/** Division by zero is 0; whole numbers divide like floats. */
function division(left: Value, right: Value): Value {
  const sql = `(CASE WHEN ${right.sql} = 0 THEN ${zeroUnlessNull(left)} ELSE ${asFloat(left)} / ${asFloat(right)} END)`;
  return { sql: `CAST(${sql} AS DOUBLE)`, type: 'float' };
}

function floatArithmetic(op: BinaryOp, left: Value, right: Value): Value {
  const plain = `${asFloat(left)} ${op} ${asFloat(right)}`;
  if (op !== '%') return { sql: `(${plain})`, type: 'float' };
  return { sql: `CAST((CASE WHEN ${right.sql} = 0 THEN ${zeroUnlessNull(left)} ELSE ${plain} END) AS DOUBLE)`, type: 'float' };
}

/** The value as DuckDB SQL of a double. */
export function asFloat(value: Value): string {
  return value.type === 'float' ? value.sql : `CAST(${value.sql} AS DOUBLE)`;
}

function bitwise(op: BinaryOp, left: Value, right: Value, type: 'integer' | 'unsigned'): Value {
  return { sql: op === '^' ? `xor(${left.sql}, ${right.sql})` : `(${left.sql} ${op} ${right.sql})`, type };
}

function bitwiseBoolean(op: BinaryOp, left: Value, right: Value): Value {
  const word = op === '&' ? 'AND' : op === '|' ? 'OR' : '<>';
  return { sql: `(${left.sql} ${word} ${right.sql})`, type: 'boolean' };
}
