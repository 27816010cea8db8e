import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on a free port of this machine, without a handler yet; its end comes with that of the test. */
export async function startFakeService(t: {
  after(fn: () => Promise<void>): void;
}): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer({ keepAliveTimeout: 0 });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** The body of a request; undefined = the client is gone. */
export async function wholeBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const body: Buffer[] = [];
  try {
    for await (const chunk of request) body.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(body);
}
