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
} from '../sql/types/plans.ts';
export { ColumnStore } from './column-store.ts';
export { type DirectAnswer, DirectExecutor } from './direct-executor.ts';
export { DirectResult } from './direct-result.ts';
export { madeRows } from './made-rows.ts';
export { SegmentLoader } from './segment-loader.ts';
