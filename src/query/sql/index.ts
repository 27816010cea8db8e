export { SqlCompiler } from './compiler.ts';
export { isOverflow, mapEngineError } from './duckdb-errors.ts';
export { engineSetupStatements } from './macros.ts';
export { SETTINGS } from './settings.ts';
export type { CompiledSql, RelationColumn, RelationInfo, RelationUse, SqlCompileContext } from './types/contract.ts';
export { notImplemented, planError, tableNotFound } from './types/errors.ts';
export { physicalNames } from './types/physical-names.ts';
export { arrowTypeText, relationColumnType } from './types/types.ts';
