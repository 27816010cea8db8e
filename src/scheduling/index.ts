export { whenCalm } from './calm.ts';
export { FairTurns, type WritesAhead } from './fair-turns.ts';
export { queryTurns, Turns } from './turns.ts';
export { WritesUnderWay } from './writes-under-way.ts';
