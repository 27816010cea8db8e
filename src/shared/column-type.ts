/** Kind and value type of one column, in the words that the catalog stores (line protocol, storage). */
export type ColumnType = 'tag' | 'time' | 'float' | 'integer' | 'uinteger' | 'string' | 'boolean';

/** A column that holds a field value. */
export type FieldType = Exclude<ColumnType, 'tag' | 'time'>;

/** The type name that clients see in schema messages and in Parquet field metadata. */
export function ioxColumnType(type: ColumnType): string {
  if (type === 'tag') return 'iox::column_type::tag';
  if (type === 'time') return 'iox::column_type::timestamp';
  return `iox::column_type::field::${type}`;
}
