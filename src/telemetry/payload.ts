import { FIELDS, type FieldName, type FieldType } from './fields.ts';
import type { Invocation } from './invocations.ts';

/** Value of one field. Whole numbers may be bigint when they can pass 2^53. */
export type FieldValue = string | number | bigint | readonly Invocation[] | readonly string[];

/** Every field exactly once; the encoder decides the order. */
export type Payload = Readonly<Record<FieldName, FieldValue>>;

/** Compact JSON of the payload, fields in table order. */
export function encodePayload(payload: Payload): string {
  const members = FIELDS.map((field) => `${JSON.stringify(field.name)}:${encodeValue(field.type, payload[field.name])}`);
  return `{${members.join(',')}}`;
}

/** Shortest decimal that reads back as the same 32-bit float, always with a fraction. */
export function formatFloat32(value: number): string {
  const single = Math.fround(value);
  for (let digits = 1; digits <= 9; digits += 1) {
    const text = single.toPrecision(digits);
    if (Math.fround(Number(text)) === single) return withFraction(Number(text));
  }
  return withFraction(single);
}

/** Shortest decimal that reads back as the same 64-bit float, always with a fraction. */
export function formatFloat64(value: number): string {
  return withFraction(value);
}

/** Two decimals in 32-bit arithmetic, half away from zero. Values are never negative here. */
export function roundToCents(value: number): number {
  return Math.fround(Math.fround(Math.round(Math.fround(Math.fround(value) * 100))) / 100);
}

function withFraction(value: number): string {
  if (!Number.isFinite(value)) return 'null';
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-5 || size >= 1e16)) return value.toExponential().replace('+', '');
  const text = String(value);
  return text.includes('.') ? text : `${text}.0`;
}

function encodeValue(type: FieldType, value: FieldValue): string {
  switch (type) {
    case 'u64':
      return formatInteger(value);
    case 'f32':
      return formatFloat32(Number(value));
    case 'f64':
      return formatFloat64(Number(value));
    case 'string':
    case 'strings':
      return JSON.stringify(value);
    case 'invocations':
      return encodeInvocations(value as readonly Invocation[]);
  }
}

/** Digits only, at any size: numbers of 1e21 and more would print with an exponent. */
function formatInteger(value: FieldValue): string {
  if (typeof value === 'bigint') return value.toString();
  const number = Number(value);
  return Number.isFinite(number) && number > 0 ? BigInt(Math.trunc(number)).toString() : '0';
}

function encodeInvocations(invocations: readonly Invocation[]): string {
  return JSON.stringify(
    invocations.map((one) => ({
      database_name: one.databaseName,
      trigger_name: one.triggerName,
      plugin_name: one.pluginName,
      trigger_type: one.triggerType,
      invocation_count: one.count,
    })),
  );
}
