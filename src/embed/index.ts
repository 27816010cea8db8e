export { StartupError } from '../shared/startup-error.ts';
export type { QueryOptions, Row, Value, WriteOptions } from './client.ts';
export type { LogLevel, StartOptions } from './options.ts';
export { ServerError } from './server-error.ts';
export { type InfluxDB3, startInfluxDB3 } from './start.ts';
