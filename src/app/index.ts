export type { RunningServer, ServerHooks, StartupInfo } from './contract.ts';
export { runServer } from './run-server.ts';
export type { ServerSeed } from './seed.ts';
