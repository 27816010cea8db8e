import { connect } from 'node:net';

/** Sends bytes, part by part, on a connection of their own; resolves with what has come when it matches, or when the server closes. */
export async function rawExchange(port: number, parts: readonly string[], wanted: RegExp): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let received = '';
  socket.setEncoding('latin1');
  const seen = new Promise<void>((resolve) => {
    socket.on('data', (text: string) => {
      received += text;
      if (wanted.test(received)) resolve();
    });
    socket.on('close', () => resolve());
  });
  for (const part of parts) await new Promise<void>((resolve) => socket.write(part, () => resolve()));
  await seen;
  socket.destroy();
  return received;
}

/** An answer as it stands on the wire. */
export interface RawAnswer {
  readonly status: number;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Sends one request on a connection of its own and resolves with the whole answer, chunks joined. */
export async function oneAnswer(port: number, request: Buffer): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  socket.write(request);
  let received = Buffer.alloc(0);
  try {
    for await (const bytes of socket) {
      received = Buffer.concat([received, bytes as Buffer]);
      const answer = wholeAnswer(received);
      if (answer !== undefined) return answer;
    }
  } finally {
    socket.destroy();
  }
  throw new Error(`the connection ended early: ${received.toString('latin1')}`);
}

/** Undefined = there is more to come. */
function wholeAnswer(bytes: Buffer): RawAnswer | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const rest = bytes.subarray(headEnd + 4);
  const status = Number(statusLine.split(' ')[1]);
  if (headers.get('transfer-encoding') === 'chunked') {
    const body = joinedChunks(rest);
    return body === undefined ? undefined : { status, headers, body };
  }
  const length = status === 204 ? 0 : Number(headers.get('content-length'));
  return rest.length < length ? undefined : { status, headers, body: rest.subarray(0, length) };
}

function joinedChunks(bytes: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const end = lineEnd + 2 + size;
    if (bytes.length < end + 2) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    chunks.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}
