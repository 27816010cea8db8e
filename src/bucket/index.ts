export { bucketOf } from './bucket-of.ts';
