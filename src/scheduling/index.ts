export { whenCalm } from './calm.ts';
export { FairTurns, type WritesAhead } from './fair-turns.ts';
export { type LaneName, Lanes, QueryLane, queryLanes } from './lanes.ts';
export { WritesUnderWay } from './writes-under-way.ts';
