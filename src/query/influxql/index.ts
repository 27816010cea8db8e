export { deleteCondition } from './compile/delete-condition.ts';
export type { Source } from './compile/ir.ts';
export type { GroupKey, InfluxqlChanges, InfluxqlRequest, InfluxqlResult, InfluxqlService } from './contract.ts';
export { InfluxqlExecutor, type ListedDatabase } from './influxql-service.ts';
export type { ChangeStatement, PolicyOptions } from './parse/ast.ts';
