export { type HandOver, PlainLane } from './plain-lane.ts';
