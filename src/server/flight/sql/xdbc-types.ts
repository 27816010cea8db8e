import type { QueryResult } from '../../../query/result.ts';
import { BOOLEAN, INT32, type MadeColumn, madeResult, TEXT, TEXTS } from '../../../query/results/index.ts';

/** A type as ODBC and JDBC drivers list it. */
interface XdbcType {
  readonly name: string;
  readonly dataType: number;
  readonly size: number;
  readonly quote: string | null;
  readonly createParams: readonly string[] | null;
  readonly caseSensitive: boolean;
  /** Null for types that are no numbers. */
  readonly unsigned: boolean | null;
  readonly radix: number | null;
  readonly subcode: number | null;
}

const SIZE_MAX = 2_147_483_647;
const NULLABLE = 1;
const SEARCHABLE = 3;

/** By data type, then name. */
const TYPES: readonly XdbcType[] = [
  {
    name: 'INTEGER',
    dataType: 4,
    size: 32,
    quote: null,
    createParams: null,
    caseSensitive: false,
    unsigned: false,
    radix: 2,
    subcode: null,
  },
  { name: 'FLOAT', dataType: 6, size: 24, quote: null, createParams: null, caseSensitive: false, unsigned: false, radix: 2, subcode: null },
  {
    name: 'INTERVAL',
    dataType: 10,
    size: SIZE_MAX,
    quote: "'",
    createParams: null,
    caseSensitive: false,
    unsigned: null,
    radix: null,
    subcode: 0,
  },
  {
    name: 'VARCHAR',
    dataType: 12,
    size: SIZE_MAX,
    quote: "'",
    createParams: ['length'],
    caseSensitive: true,
    unsigned: null,
    radix: null,
    subcode: null,
  },
  {
    name: 'TIMESTAMP',
    dataType: 93,
    size: SIZE_MAX,
    quote: "'",
    createParams: null,
    caseSensitive: false,
    unsigned: null,
    radix: null,
    subcode: null,
  },
];

/** Rows of GetXdbcTypeInfo; undefined = all types. */
export function xdbcTypes(dataType: number | undefined): QueryResult {
  const types = TYPES.filter((type) => dataType === undefined || type.dataType === dataType);
  const column = (name: string, type: MadeColumn['type'], value: (type: XdbcType) => unknown, required = false): MadeColumn => {
    return { name, type, required, values: types.map(value) };
  };
  const none = (): null => null;
  return madeResult([
    column('type_name', TEXT, (type) => type.name, true),
    column('data_type', INT32, (type) => type.dataType, true),
    column('column_size', INT32, (type) => type.size),
    column('literal_prefix', TEXT, (type) => type.quote),
    column('literal_suffix', TEXT, (type) => type.quote),
    column('create_params', TEXTS, (type) => type.createParams),
    column('nullable', INT32, () => NULLABLE, true),
    column('case_sensitive', BOOLEAN, (type) => type.caseSensitive, true),
    column('searchable', INT32, () => SEARCHABLE, true),
    column('unsigned_attribute', BOOLEAN, (type) => type.unsigned),
    column('fixed_prec_scale', BOOLEAN, () => false, true),
    column('auto_increment', BOOLEAN, (type) => (type.unsigned === null ? null : false)),
    column('local_type_name', TEXT, (type) => type.name),
    column('minimum_scale', INT32, none),
    column('maximum_scale', INT32, none),
    column('sql_data_type', INT32, (type) => type.dataType, true),
    column('datetime_subcode', INT32, (type) => type.subcode),
    column('num_prec_radix', INT32, (type) => type.radix),
    column('interval_precision', INT32, none),
  ]);
}
