export type { ParquetFileInfo, PersistedRange, SnapshotInfo, TableAside } from '../file-index/snapshot-info.ts';
export { decodeSnapshotInfo, encodeSnapshotInfo } from '../file-index/snapshot-info-codec.ts';
export { type LoadedSnapshots, SnapshotStore, snapshotKey } from '../file-index/snapshot-store.ts';
export { chunkStartNs, type PlannedPeriod, type SnapshotPlan, SnapshotPlanner, type SnapshotPlannerOptions } from './planner.ts';
