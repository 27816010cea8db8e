import type { ColumnSchema, TableSchema } from '../../catalog/schema.ts';
import { ioxColumnType } from '../../shared/column-type.ts';

/**
 * Value of a Parquet file's `ARROW:schema` key: the base64 IPC schema message of its columns, with the InfluxDB type of
 * each column and the series key as metadata (storage spec 5).
 */
export async function arrowSchemaMetadata(table: TableSchema, columns: readonly ColumnSchema[]): Promise<string> {
  const arrow = await import('apache-arrow');
  const fields = columns.map((column) => {
    const metadata = new Map([['iox::column::type', ioxColumnType(column.type)]]);
    return new arrow.Field(column.name, arrowType(arrow, column), column.type !== 'time', metadata);
  });
  const schema = new arrow.Schema(fields, new Map([['iox::series::key::v2', seriesKeyMetadata(table.seriesKey.map((tag) => tag.name))]]));
  const stream = arrow.RecordBatchStreamWriter.writeAll(new arrow.Table(schema));
  const bytes = await stream.toUint8Array();
  return Buffer.from(schemaMessage(bytes)).toString('base64');
}

/** Tag names in series-key order, each as 4-byte little-endian length and UTF-8 bytes, in base64. */
export function seriesKeyMetadata(tagNames: readonly string[]): string {
  const parts: Buffer[] = [];
  for (const name of tagNames) {
    const bytes = Buffer.from(name, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    parts.push(length, bytes);
  }
  return Buffer.concat(parts).toString('base64');
}

type Arrow = typeof import('apache-arrow');

function arrowType(arrow: Arrow, column: ColumnSchema) {
  switch (column.type) {
    case 'tag':
      return new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
    case 'time':
      return new arrow.TimestampNanosecond(null);
    case 'float':
      return new arrow.Float64();
    case 'integer':
      return new arrow.Int64();
    case 'uinteger':
      return new arrow.Uint64();
    case 'string':
      return new arrow.Utf8();
    case 'boolean':
      return new arrow.Bool();
  }
}

/** The first message of an IPC stream with its continuation marker and length: the schema. */
function schemaMessage(stream: Uint8Array): Uint8Array {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  return stream.subarray(0, 8 + view.getInt32(4, true));
}
