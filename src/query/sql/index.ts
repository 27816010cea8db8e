export { compileSql, SqlCompiler } from './compile.ts';
export type { CompiledSql, RelationColumn, RelationInfo, RelationUse, SqlCompileContext } from './contract.ts';
export { isIntegerOverflow, mapEngineError } from './engine-errors.ts';
export { notImplemented, tableNotFound } from './errors.ts';
export { engineSetupStatements } from './macros.ts';
export { physicalNames } from './physical-names.ts';
export { arrowTypeText, relationColumnType } from './types.ts';
