export { type LostRows, replayLogs } from './replay-logs.ts';
