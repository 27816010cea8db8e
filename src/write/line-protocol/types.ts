/** Timestamp unit of a write request; `auto` guesses per line by magnitude. */
export type Precision = 'auto' | 'hour' | 'minute' | 'second' | 'millisecond' | 'microsecond' | 'nanosecond';

/** One refused line, as clients see it. */
export interface LineError {
  /** The exact message that clients get (docs/errors.md, "Writes"). */
  readonly errorMessage: string;
  /** 1-based among logical, non-blank, non-comment lines. */
  readonly lineNumber: number;
  /** Text of the refused line, cut to 20 bytes at a character boundary. */
  readonly originalLine: string;
}
