export { HistoryReader, type HistoryReaderOptions } from './history.ts';
export { type Every, ValueCaches, type ValueCachesOptions } from './value-caches.ts';
