export { deleteCondition } from './compile/delete-condition.ts';
export type { Source } from './compile/ir.ts';
export { type NamePattern, namePattern } from './compile/name-pattern.ts';
export type { ChangeTarget, GroupKey, InfluxqlChanges, InfluxqlRequest, InfluxqlResult, InfluxqlService } from './contract.ts';
export { InfluxqlExecutor } from './influxql-service.ts';
export { type ListedDatabase, roughDuration } from './lists.ts';
export { floatColumn, integerColumn, type MadeSeries, textColumn } from './made-lists.ts';
export type { ChangeStatement, PolicyOptions } from './parse/ast.ts';
