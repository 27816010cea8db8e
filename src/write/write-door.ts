import type { WriteMetrics } from './write-metrics.ts';
import type { WriteOutcome, WriteRequest, WriteService } from './write-service.ts';

/** What counts clients' writes for telemetry. O(1), must not throw. */
export interface WriteCounter {
  recordWrite(lines: number, bytes: number): void;
}

export interface WriteDoorOptions {
  /** Stores what passes. */
  readonly store: WriteService;
  readonly telemetry: WriteCounter;
  readonly metrics: Pick<WriteMetrics, 'stored'>;
}

/**
 * The one way in for writes of every protocol: what it stores is counted here, so that no protocol can forget it.
 * Telemetry counts accepted lines and body bytes of clients' writes, not those of plugins; metrics count all of them.
 * A refused write is not counted.
 */
export class WriteDoor implements WriteService {
  readonly #options: WriteDoorOptions;

  constructor(options: WriteDoorOptions) {
    this.#options = options;
  }

  async write(request: WriteRequest): Promise<WriteOutcome> {
    const { metrics, store, telemetry } = this.#options;
    // The caller may use the body's memory again as soon as the write is settled.
    const bodyBytes = request.body.byteLength;
    const outcome = await store.write(request);
    if (typeof request.origin !== 'object') telemetry.recordWrite(outcome.acceptedLines, bodyBytes);
    metrics.stored(request.database, outcome);
    return outcome;
  }
}
