export { type PinnedFile, type PinnedMoment, Pins } from './pin-moment.ts';
