export { CachedFiles } from './cached-files.ts';
export type { DataFile, DataFiles } from './data-files.ts';
export { LocalFiles } from './local-files.ts';
