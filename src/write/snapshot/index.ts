export { chunkStartNs, type PlannedPeriod, type SnapshotPlan, SnapshotPlanner, type SnapshotPlannerOptions } from './planner.ts';
export type { ParquetFileInfo, PersistedRange, SnapshotInfo } from './snapshot-info.ts';
export { decodeSnapshotInfo, encodeSnapshotInfo } from './snapshot-info-codec.ts';
export { type LoadedSnapshots, SnapshotStore, snapshotFileName } from './snapshot-store.ts';
