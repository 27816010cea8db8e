export { type HandOver, RawLane } from './raw-lane.ts';
