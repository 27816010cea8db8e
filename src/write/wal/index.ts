export type { WalPeriod } from './period.ts';
export { Wal, type WalOptions } from './wal.ts';
export type { ReplayOptions, ReplayReport, WalRecordHandler } from './wal-replay.ts';
