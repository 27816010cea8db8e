export type { RunningServer, ServerHooks } from '../cli/run-server.ts';
export type { StartupInfo } from '../cli/startup-text.ts';
export { runServer } from './run-server.ts';
export type { ServerSeed } from './seed.ts';
