/**
 * What the rest of the server may tell telemetry. O(1), synchronous, no allocation. When telemetry is off
 * every method does nothing.
 */
export interface TelemetryRecorder {
  /** One write request that reached the buffer: accepted lines and unzipped body bytes. */
  recordWrite(lines: number, bytes: number): void;
  /** One planned query, whatever the language. */
  recordQuery(): void;
}

/** Figures read only when a payload is built. */
export interface TelemetrySources {
  parquetTotals(): { fileCount: number; sizeBytes: number; rowCount: number };
  triggerCounts(): { walSingle: number; walAll: number; schedule: number; request: number };
}
