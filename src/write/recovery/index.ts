export { type PersistedRange, Replay, type ReplayStats } from './replay.ts';
