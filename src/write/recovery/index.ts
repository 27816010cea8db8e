export { claimAndLoad } from './claim.ts';
export { type LostRows, replayLogs } from './replay-logs.ts';
