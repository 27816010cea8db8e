export type { GroupKey, InfluxqlRequest, InfluxqlResult, InfluxqlService } from './contract.ts';
export { InfluxqlExecutor, type ListedDatabase } from './influxql-service.ts';
