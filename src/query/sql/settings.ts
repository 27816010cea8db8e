/** The settings under which statements run, as `SHOW` and `information_schema.df_settings` have them. Nobody can change them. */
export const SETTINGS: readonly (readonly [name: string, value: string, description: string])[] = [
  ['datafusion.catalog.create_default_catalog_and_schema', 'true', 'The catalog and schema of a session exist from its start'],
  ['datafusion.catalog.default_catalog', 'public', 'Catalog of names that give none'],
  ['datafusion.catalog.default_schema', 'iox', 'Schema of names that give none'],
  ['datafusion.catalog.information_schema', 'true', 'The information schema exists'],
  ['datafusion.execution.time_zone', '+00:00', 'Time zone of values that name none'],
  ['datafusion.sql_parser.dialect', 'generic', 'Dialect of statements'],
  ['datafusion.sql_parser.enable_ident_normalization', 'true', 'Unquoted names are folded to lower case'],
  ['datafusion.sql_parser.enable_options_value_normalization', 'false', 'Option values are taken as they are written'],
  ['datafusion.sql_parser.parse_float_as_decimal', 'false', 'Decimal numbers in statements are 64-bit floats'],
];
