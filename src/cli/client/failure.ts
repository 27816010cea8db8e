/** A command that failed while it ran: exit 1, one line after `<Verb> command failed: `, and a next step if there is one. */
export class CommandFailure extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CommandFailure';
    this.hint = options.hint;
  }
}

/** The server answered with an error status. */
export class ApiError extends CommandFailure {
  readonly status: number;
  /** Text of the answer: its `message` member if it is JSON that has one, else everything. */
  readonly body: string;

  constructor(status: number, reason: string, body: string, hint: string | undefined) {
    super(`server responded with error [${status} ${reason}]: ${body}`, { hint });
    this.name = 'ApiError';
    this.status = status;
    this.body = body;
  }
}

/** The server could not be reached, or the connection broke. */
export class ConnectError extends CommandFailure {
  constructor(method: string, url: string, hint: string | undefined, cause: unknown) {
    super(`failed to send ${method} ${url} request: client error (Connect)`, { hint, cause });
    this.name = 'ConnectError';
  }
}
