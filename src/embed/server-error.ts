/** The server refused a write or a query. The message is the server's own. */
export class ServerError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** The whole answer. */
  readonly body: string;

  constructor(status: number, body: string) {
    super(messageOf(body) || `the server answered with status ${status}`);
    this.name = 'ServerError';
    this.status = status;
    this.body = body;
  }
}

/** Text of the `error` member of a JSON answer with the reason of the first refused line, else the answer itself. */
function messageOf(body: string): string {
  if (!body.startsWith('{')) return body;
  try {
    const { error, data } = JSON.parse(body) as { error?: unknown; data?: unknown };
    if (typeof error !== 'string') return body;
    const first: unknown = Array.isArray(data) ? data[0] : data;
    const reason = (first as { error_message?: unknown } | null | undefined)?.error_message;
    return typeof reason === 'string' ? `${error}: ${reason}` : error;
  } catch {
    return body;
  }
}
