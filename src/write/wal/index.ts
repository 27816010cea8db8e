export { walShutdown } from './errors.ts';
export type { WalPeriod } from './period.ts';
export { decodeSideLog, type SideLogOptions, SideLogWriter } from './side-log.ts';
export { Wal } from './wal.ts';
export { WalBucket } from './wal-bucket.ts';
export type { WalOptions } from './wal-options.ts';
export type { ReplayOptions, ReplayReport, WalRecordHandler } from './wal-replay.ts';
export type { WalTotals } from './wal-totals.ts';
