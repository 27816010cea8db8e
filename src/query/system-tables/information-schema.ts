import { arrowTypeText, relationColumnType } from '../sql/index.ts';
import type { RelationColumn } from '../sql/types/contract.ts';
import type { Cell, RowSet } from './rows-source.ts';
import { settingsRows } from './settings.ts';

/** A table as the information schema lists it. */
export interface ListedTable {
  readonly schema: 'iox' | 'system';
  readonly name: string;
  /** Sorted by name for user tables, in their own order for system tables. */
  readonly columns: readonly RelationColumn[];
}

/** Columns of a view of the information schema; undefined = there is no such view. */
export function informationSchemaColumns(name: string): readonly RelationColumn[] | undefined {
  return (VIEWS as Readonly<Record<string, readonly RelationColumn[]>>)[Object.hasOwn(VIEWS, name) ? name : ''];
}

/** Rows of a view. `tables` in listing order: user tables, then system tables. */
export function informationSchemaRows(view: InformationSchemaTables, tables: readonly ListedTable[]): RowSet {
  return { columns: VIEWS[view], rows: rowsOf(view, tables) };
}

function rowsOf(view: InformationSchemaTables, tables: readonly ListedTable[]): readonly (readonly Cell[])[] {
  switch (view) {
    case 'tables':
      return [
        ...tables.map(({ schema, name }) => ['public', schema, name, 'BASE TABLE']),
        ...Object.keys(VIEWS).map((name) => ['public', 'information_schema', name, 'VIEW']),
      ];
    case 'columns':
      return tables.flatMap((table) => table.columns.map((column, position) => columnRow(table, column, position)));
    case 'schemata':
      return ['iox', 'system'].map((schema) => ['public', schema, null, null, null, null, null]);
    case 'df_settings':
      return settingsRows();
    case 'views':
    case 'routines':
    case 'parameters':
      return [];
  }
}

function columnRow(table: ListedTable, column: RelationColumn, position: number): Cell[] {
  const dataType = column.arrowType ?? arrowTypeText(relationColumnType(column.type));
  const required = table.schema === 'iox' ? column.type === 'time' : column.required === true;
  const precision = PRECISION.get(dataType) ?? null;
  return [
    'public',
    table.schema,
    table.name,
    column.name,
    BigInt(position),
    null,
    required ? 'NO' : 'YES',
    dataType,
    null,
    dataType === 'Utf8' ? 2147483647n : null,
    precision,
    precision === null ? null : 2n,
    null,
    null,
    null,
  ];
}

/** compat: 64-bit integers have none, and floats have that of a single */
const PRECISION: ReadonlyMap<string, bigint> = new Map([
  ['Int8', 8n],
  ['Int16', 16n],
  ['Int32', 32n],
  ['UInt8', 8n],
  ['UInt16', 16n],
  ['UInt32', 32n],
  ['Float32', 24n],
  ['Float64', 24n],
]);

const text = (name: string): RelationColumn => ({ name, type: 'string' });
const number = (name: string): RelationColumn => ({ name, type: 'uinteger' });
const flag = (name: string): RelationColumn => ({ name, type: 'boolean' });

/** In the order of their listing. */
const VIEWS = {
  tables: ['table_catalog', 'table_schema', 'table_name', 'table_type'].map(text),
  views: ['table_catalog', 'table_schema', 'table_name', 'definition'].map(text),
  columns: [
    ...['table_catalog', 'table_schema', 'table_name', 'column_name'].map(text),
    number('ordinal_position'),
    ...['column_default', 'is_nullable', 'data_type'].map(text),
    ...[
      'character_maximum_length',
      'character_octet_length',
      'numeric_precision',
      'numeric_precision_radix',
      'numeric_scale',
      'datetime_precision',
    ].map(number),
    text('interval_type'),
  ],
  df_settings: ['name', 'value', 'description'].map(text),
  schemata: [
    'catalog_name',
    'schema_name',
    'schema_owner',
    'default_character_set_catalog',
    'default_character_set_schema',
    'default_character_set_name',
    'sql_path',
  ].map(text),
  routines: [
    ...['specific_catalog', 'specific_schema', 'specific_name', 'routine_catalog', 'routine_schema', 'routine_name', 'routine_type'].map(
      text,
    ),
    flag('is_deterministic'),
    ...['data_type', 'function_type', 'description', 'syntax_example'].map(text),
  ],
  parameters: [
    ...['specific_catalog', 'specific_schema', 'specific_name'].map(text),
    number('ordinal_position'),
    ...['parameter_mode', 'parameter_name', 'data_type', 'parameter_default'].map(text),
    flag('is_variadic'),
    { name: 'rid', type: 'uint8' },
  ],
} as const satisfies Readonly<Record<string, readonly RelationColumn[]>>;

/** Views of the information schema. */
export type InformationSchemaTables = keyof typeof VIEWS;
