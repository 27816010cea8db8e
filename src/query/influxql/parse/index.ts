export type { NameFilter, ParsedStatement, Qualifier, Statement } from './ast.ts';
export { needsDatabase, statementDatabase } from './databases.ts';
export { parseInfluxql } from './parser.ts';
