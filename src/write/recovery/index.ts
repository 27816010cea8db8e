export { replayLogs } from './replay-logs.ts';
