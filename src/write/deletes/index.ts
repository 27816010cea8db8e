export { type DeletePredicate, parseDeletePredicate } from './delete-predicate.ts';
export { type DeleteRequest, resolveDeletes } from './resolve-deletes.ts';
export { type RowDelete, spared, type TableDelete, type TagValue } from './row-delete.ts';
