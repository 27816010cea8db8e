/** Schema messages of Arrow's IPC format: https://arrow.apache.org/docs/format/Columnar.html and `format/Schema.fbs` there. */
import { type FlatField, type FlatTable, flatBuffer } from './flat-tables.ts';

export type ArrowTimeUnit = 's' | 'ms' | 'us' | 'ns';

/** A column type. Nested ones have their parts as children of the field. */
export type ArrowType =
  | { readonly kind: 'null' | 'boolean' | 'utf8' | 'binary' | 'date' | 'interval' | 'list' | 'struct' | 'map' }
  | { readonly kind: 'int'; readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean }
  | { readonly kind: 'float'; readonly bits: 32 | 64 }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'timestamp'; readonly unit: ArrowTimeUnit; readonly zone: string | undefined }
  | { readonly kind: 'time' | 'duration'; readonly unit: 'ns' }
  /** Texts by 32-bit numbers. */
  | { readonly kind: 'dictionary' }
  /** A dense union whose children have the numbers 0, 1, .. */
  | { readonly kind: 'union'; readonly typeCount: number };

export interface ArrowField {
  readonly name: string;
  readonly type: ArrowType;
  readonly nullable: boolean;
  readonly children?: readonly ArrowField[];
  readonly metadata?: ReadonlyMap<string, string> | undefined;
}

export interface ArrowSchema {
  readonly fields: readonly ArrowField[];
  readonly metadata?: ReadonlyMap<string, string> | undefined;
}

/** `MetadataVersion.V5`. */
export const METADATA_VERSION = 4;
const SCHEMA_HEADER = 1;

/**
 * The Message flatbuffer of a schema, without what stands before it in a stream; its length is a multiple of 8. What has its
 * default is left out: older Rust clients read the message four bytes off its alignment, and refuse 64-bit numbers in it.
 */
export function schemaMessage({ fields, metadata }: ArrowSchema): Buffer {
  const ids = { dictionaries: 0 };
  const schema: FlatTable = [
    { id: 1, kind: 'tables', value: fields.map((field) => fieldTable(field, ids)) },
    ...metadataField(2, metadata),
  ];
  return flatBuffer([
    { id: 0, kind: 'int16', value: METADATA_VERSION },
    { id: 1, kind: 'uint8', value: SCHEMA_HEADER },
    { id: 2, kind: 'table', value: schema },
  ]);
}

/** A message as it stands in a stream: continuation marker, length, flatbuffer. */
export function encapsulated(message: Buffer): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(0xffffffff, 0);
  prefix.writeUInt32LE(message.length, 4);
  return Buffer.concat([prefix, message]);
}

/** What ends a stream. */
export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

function fieldTable(field: ArrowField, ids: { dictionaries: number }): FlatTable {
  const { type, fields } = typeTable(field.type);
  const children = field.children ?? [];
  return [
    { id: 0, kind: 'string', value: field.name },
    { id: 1, kind: 'uint8', value: field.nullable ? 1 : 0 },
    { id: 2, kind: 'uint8', value: type },
    { id: 3, kind: 'table', value: fields },
    ...dictionaryField(field.type, ids),
    { id: 5, kind: 'tables', value: children.map((child) => fieldTable(child, ids)) },
    ...metadataField(6, field.metadata),
  ];
}

function dictionaryField({ kind }: ArrowType, ids: { dictionaries: number }): FlatField[] {
  if (kind !== 'dictionary') return [];
  const index = typeTable({ kind: 'int', bits: 32, signed: true }).fields;
  const value: FlatTable = [
    { id: 0, kind: 'int64', value: BigInt(ids.dictionaries++) },
    { id: 1, kind: 'table', value: index },
  ];
  return [{ id: 4, kind: 'table', value }];
}

function metadataField(id: number, metadata: ReadonlyMap<string, string> | undefined): FlatField[] {
  if (metadata === undefined || metadata.size === 0) return [];
  const pairs = [...metadata].map(
    ([key, value]): FlatTable => [
      { id: 0, kind: 'string', value: key },
      { id: 1, kind: 'string', value },
    ],
  );
  return [{ id, kind: 'tables', value: pairs }];
}

const TIME_UNITS = { s: 0, ms: 1, us: 2, ns: 3 } as const;
const MONTH_DAY_NANO = 2;
const DENSE = 1;

/** Number of the type in the union `Type`, and its table. */
function typeTable(type: ArrowType): { readonly type: number; readonly fields: FlatTable } {
  switch (type.kind) {
    case 'null':
      return { type: 1, fields: [] };
    case 'int':
      return { type: 2, fields: [int32(0, type.bits), { id: 1, kind: 'uint8', value: type.signed ? 1 : 0 }] };
    case 'float':
      return { type: 3, fields: [int16(0, type.bits === 32 ? 1 : 2)] };
    case 'binary':
      return { type: 4, fields: [] };
    case 'utf8':
    case 'dictionary':
      return { type: 5, fields: [] };
    case 'boolean':
      return { type: 6, fields: [] };
    case 'decimal':
      return { type: 7, fields: [int32(0, type.precision), int32(1, type.scale), int32(2, 128)] };
    case 'date':
      return { type: 8, fields: [int16(0, 0)] }; // days
    case 'time':
      return { type: 9, fields: [int16(0, TIME_UNITS[type.unit]), int32(1, 64)] };
    case 'timestamp': {
      const zone: FlatField[] = type.zone === undefined ? [] : [{ id: 1, kind: 'string', value: type.zone }];
      return { type: 10, fields: [int16(0, TIME_UNITS[type.unit]), ...zone] };
    }
    case 'interval':
      return { type: 11, fields: [int16(0, MONTH_DAY_NANO)] };
    case 'list':
      return { type: 12, fields: [] };
    case 'struct':
      return { type: 13, fields: [] };
    case 'union': {
      const typeIds = Array.from({ length: type.typeCount }, (_, i) => i);
      return { type: 14, fields: [int16(0, DENSE), { id: 1, kind: 'numbers', value: typeIds }] };
    }
    case 'map':
      return { type: 17, fields: [{ id: 0, kind: 'uint8', value: 0 }] };
    case 'duration':
      return { type: 18, fields: [int16(0, TIME_UNITS[type.unit])] };
  }
}

function int16(id: number, value: number): FlatField {
  return { id, kind: 'int16', value };
}

function int32(id: number, value: number): FlatField {
  return { id, kind: 'int32', value };
}
