export { LineProtocolError } from './errors.ts';
export { LineParser, type LineParserOptions, type ParseOptions } from './line-parser.ts';
export type { ParsedColumn, ParsedRows, ParsedTable, ParsedWrite, StringData } from './parsed-write.ts';
export type { LineError, Precision } from './types.ts';
