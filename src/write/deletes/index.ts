export { type DeletePredicate, parseDeletePredicate } from './delete-predicate.ts';
export { type DeleteRequest, resolveDeletes, type TagCondition } from './resolve-deletes.ts';
export { type RowDelete, spared, storedTag, type TableDelete, type TagValue } from './row-delete.ts';
