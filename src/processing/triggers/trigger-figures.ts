/** What a trigger has done since the server started. */
export interface TriggerFigures {
  /** Calls of the plugin, retries included. */
  runs: number;
  /** Calls that failed. */
  errors: number;
  /** Time of all calls, with the writes that ended them, ms. */
  runMs: number;
  /** Writes that were left out because too many waited. */
  skippedBatches: number;
  /** Events that wait now. */
  queued: number;
  /** Memory of writes that wait now, bytes. */
  queuedBytes: number;
  /** Calls that run now. */
  running: number;
  /** How often its process or worker was started. */
  hostStarts: number;
}

/** The figures of a trigger that never ran. */
export function newFigures(): TriggerFigures {
  return { runs: 0, errors: 0, runMs: 0, skippedBatches: 0, queued: 0, queuedBytes: 0, running: 0, hostStarts: 0 };
}
