/** A problem with the data of a node that the person at the command line can do something about. */
export class NodeDataError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'NodeDataError';
    this.hint = options.hint;
  }
}
