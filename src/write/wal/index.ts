export { walShutdown } from './errors.ts';
export type { WalPeriod } from './period.ts';
export { readSideLog, type SideLogOptions, SideLogWriter } from './side-log.ts';
export { Wal, type WalOptions } from './wal.ts';
export type { ReplayOptions, ReplayReport, WalRecordHandler } from './wal-replay.ts';
