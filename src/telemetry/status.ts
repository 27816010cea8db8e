/** Where telemetry stands, for the command line, the page and the status route. */
export interface TelemetryStatus {
  readonly state: 'on' | 'off';
  /** The one sentence of the start line. */
  readonly reason: string;
  /** Configured base URL. */
  readonly endpoint: string;
  /** URL of the POST; null when nothing is ever sent. */
  readonly sends_to: string | null;
  /** RFC 3339; null while not running. */
  readonly next_sample_at: string | null;
  readonly next_report_at: string | null;
  /** Attempts since the server started. */
  readonly attempts: number;
  readonly attempts_failed: number;
  readonly bytes_sent: number;
  readonly samples: number;
  readonly samples_failed: number;
  readonly last_attempt: {
    readonly time: string;
    readonly status: number | null;
    readonly error: string | null;
    readonly bytes: number;
  } | null;
  /** Attempts in the ledger, earlier runs included. */
  readonly ledger_entries: number;
  /** Null when the ledger is kept in memory only. */
  readonly ledger_file: string | null;
}
