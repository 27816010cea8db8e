export { ColumnStore } from './column-store.ts';
export { type DirectAnswer, DirectExecutor } from './direct-executor.ts';
export { DirectResult } from './direct-result.ts';
export { isPlainColumn, type MadeRowsPlan, madeRows } from './made-rows.ts';
export type {
  Aggregate,
  AggregateName,
  Comparison,
  DirectPlan,
  EdgeShape,
  GroupItem,
  GroupShape,
  NumberFilter,
  OrderTerm,
  RowConditions,
  RowItem,
  RowShape,
} from './plan.ts';
export { SegmentLoader } from './segment-loader.ts';
