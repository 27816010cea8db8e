import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import { type ArrowType, encapsulated, schemaMessage } from '../../shared/arrow/schema-message.ts';
import { type ColumnType, ioxColumnType } from '../../shared/column-type.ts';

/**
 * Value of a Parquet file's `ARROW:schema` key: the base64 IPC schema message of its columns, with the InfluxDB type of
 * each column and the series key as metadata.
 */
export function arrowSchemaMetadata(table: TableSchema, columns: readonly ColumnSchema[]): string {
  const fields = columns.map(({ name, type }) => ({
    name,
    type: arrowTypes[type],
    nullable: type !== 'time',
    metadata: new Map([['iox::column::type', ioxColumnType(type)]]),
  }));
  const metadata = new Map([['iox::series::key::v2', seriesKeyMetadata(table.seriesKey.map((tag) => tag.name))]]);
  return encapsulated(schemaMessage({ fields, metadata })).toString('base64');
}

/** Tag names in series-key order, each as 4-byte little-endian length and UTF-8 bytes, in base64. */
function seriesKeyMetadata(tagNames: readonly string[]): string {
  const parts: Buffer[] = [];
  for (const name of tagNames) {
    const bytes = Buffer.from(name, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts).toString('base64');
}

const arrowTypes: Readonly<Record<ColumnType, ArrowType>> = {
  tag: { kind: 'dictionary' },
  time: { kind: 'timestamp', unit: 'ns', zone: undefined },
  float: { kind: 'float', bits: 64 },
  integer: { kind: 'int', bits: 64, signed: true },
  uinteger: { kind: 'int', bits: 64, signed: false },
  string: { kind: 'utf8' },
  boolean: { kind: 'boolean' },
};
