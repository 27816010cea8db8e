export type { InfluxqlParam, NameFilter, ParsedStatement, Qualifier, Statement } from './ast.ts';
export { intoDatabase, namesPolicy, needsDatabase, statementDatabase, type V1Database, v1StatementDatabase } from './databases.ts';
export { InfluxqlParseError } from './errors.ts';
export { parseInfluxql } from './parser.ts';
export { durationNs } from './scanner.ts';
