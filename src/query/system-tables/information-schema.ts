import type { ColumnType } from '../../shared/column-type.ts';
import type { RelationColumn } from '../sql/contract.ts';
import type { Cell, RowSet } from './rows-source.ts';

/** A table as the information schema lists it. */
export interface ListedTable {
  readonly schema: 'iox' | 'system' | 'information_schema';
  readonly name: string;
  readonly kind: 'BASE TABLE' | 'VIEW';
  /** Sorted by name for user tables, in their own order for system tables. */
  readonly columns: readonly RelationColumn[];
}

const text = (name: string): RelationColumn => ({ name, type: 'string' });
const u64 = (name: string): RelationColumn => ({ name, type: 'uinteger' });

export const TABLES_COLUMNS: readonly RelationColumn[] = ['table_catalog', 'table_schema', 'table_name', 'table_type'].map(text);

export const COLUMNS_COLUMNS: readonly RelationColumn[] = [
  text('table_catalog'),
  text('table_schema'),
  text('table_name'),
  text('column_name'),
  u64('ordinal_position'),
  text('column_default'),
  text('is_nullable'),
  text('data_type'),
  u64('character_maximum_length'),
  u64('character_octet_length'),
  u64('numeric_precision'),
  u64('numeric_precision_radix'),
  u64('numeric_scale'),
  u64('datetime_precision'),
  text('interval_type'),
];

export const SCHEMATA_COLUMNS: readonly RelationColumn[] = [
  'catalog_name',
  'schema_name',
  'schema_owner',
  'default_character_set_catalog',
  'default_character_set_schema',
  'default_character_set_name',
  'sql_path',
].map(text);

export const VIEWS_COLUMNS: readonly RelationColumn[] = ['table_catalog', 'table_schema', 'table_name', 'definition'].map(text);

export const SETTINGS_COLUMNS: readonly RelationColumn[] = ['name', 'value', 'description'].map(text);

/** `information_schema.tables`. */
export function tablesRows(tables: readonly ListedTable[]): RowSet {
  return { columns: TABLES_COLUMNS, rows: tables.map((table) => ['public', table.schema, table.name, table.kind]) };
}

/** `information_schema.columns`. */
export function columnsRows(tables: readonly ListedTable[]): RowSet {
  const rows: Cell[][] = [];
  for (const table of tables) {
    table.columns.forEach((column, position) => {
      const nullable = column.type === 'time' && table.schema === 'iox' ? 'NO' : 'YES';
      rows.push([
        'public',
        table.schema,
        table.name,
        column.name,
        BigInt(position),
        null,
        nullable,
        arrowTypeName(column.type),
        null,
        column.type === 'string' || column.type === 'tag' ? 2147483647n : null,
        column.type === 'float' ? 24n : null,
        column.type === 'float' ? 2n : null,
        null,
        null,
        null,
      ]);
    });
  }
  return { columns: COLUMNS_COLUMNS, rows };
}

/** Arrow's text for a column type, as `data_type` shows it (SQL spec 5.1). */
export function arrowTypeName(type: ColumnType | RelationColumn['type']): string {
  switch (type) {
    case 'tag':
      return 'Dictionary(Int32, Utf8)';
    case 'time':
      return 'Timestamp(ns)';
    case 'float':
      return 'Float64';
    case 'integer':
      return 'Int64';
    case 'uinteger':
      return 'UInt64';
    case 'string':
      return 'Utf8';
    case 'boolean':
      return 'Boolean';
    case 'duration':
      return 'Duration(ns)';
    case 'int32':
      return 'Int32';
    case 'date':
      return 'Date32';
    case 'list_string':
      return 'List(Utf8)';
    case 'list_uint64':
      return 'List(UInt64)';
  }
}
