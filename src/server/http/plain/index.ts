export { type HandOver, PlainLane } from './plain-lane.ts';
export type { PlainHead } from './plain-request.ts';
