export { HistoryReader, type HistoryReaderOptions } from './history.ts';
export { ValueCaches, type ValueCachesOptions } from './value-caches.ts';
