export { Replay, type ReplayStats } from './replay.ts';
