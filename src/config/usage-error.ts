/** A command line (or environment) that cannot be understood. Exit code 2. */
export class UsageError extends Error {
  /** Line of the `Usage:` block; undefined = the kind of error that shows none. */
  readonly usage: string | undefined;
  /** A next step such as a similar name. */
  readonly tip: string | undefined;

  constructor(message: string, options: { usage?: string | undefined; tip?: string | undefined } = {}) {
    super(message);
    this.name = 'UsageError';
    this.usage = options.usage;
    this.tip = options.tip;
  }

  /** The whole text for standard error, with its final newline. */
  render(): string {
    const tip = this.tip === undefined ? '' : `\n  tip: ${this.tip}\n`;
    const usage = this.usage === undefined ? '' : `\nUsage: ${this.usage}\n`;
    return `error: ${this.message}\n${tip}${usage}\nFor more information, try '--help'.\n`;
  }
}

/** Why a value type refused a text: a reason, or the words that would have been right. */
export class ValueError extends Error {
  readonly possibleValues: readonly string[] | undefined;
  /** True for texts that count as no value at all (empty paths and booleans). */
  readonly missing: boolean;

  constructor(reason: string, options: { possibleValues?: readonly string[]; missing?: boolean } = {}) {
    super(reason);
    this.name = 'ValueError';
    this.possibleValues = options.possibleValues;
    this.missing = options.missing ?? false;
  }
}
