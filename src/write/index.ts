export type { DurableBatch, DurableListener, DurablePosition } from './durable-rows.ts';
export { knownCatalogSequence } from './file-index/load-index.ts';
export { LineProtocolError } from './line-protocol/index.ts';
export type { PinnedFile, PinnedMoment } from './pin/index.ts';
export { type RehearsalRequest, type RehearsedRows, rehearseWrite } from './rehearsal.ts';
export { ReopeningStore } from './reopening-store.ts';
export { WriteDoor, type WriteDoorOptions } from './write-door.ts';
export { WriteMetrics } from './write-metrics.ts';
export type { WriteOutcome, WriteRequest, WriteService } from './write-service.ts';
export {
  type StoredTablePeek,
  type StoredTableSnapshot,
  WriteStore,
  type WriteStoreOptions,
} from './write-store.ts';
