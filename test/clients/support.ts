import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';

/** A server with authentication on, and its operator token. */
export interface GuardedServer {
  readonly server: TestServer;
  readonly token: string;
  /** Rows of a SQL query, asked with the token. */
  readonly rows: (db: string, q: string) => Promise<unknown[]>;
}

/** Starts a server as users do, without `--without-auth`, and makes its operator token. */
export async function startGuarded(t: { after(fn: () => Promise<void>): void }, args: readonly string[] = []): Promise<GuardedServer> {
  const server = await startServer(t, await testDirectory(t), { bare: true, args: ['--disable-telemetry-upload', ...args] });
  const created = await fetch(`${server.url}/api/v3/configure/token/admin`, { method: 'POST' });
  assert.equal(created.status, 201);
  const { token } = (await created.json()) as { token: string };
  const rows = async (db: string, q: string): Promise<unknown[]> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${server.url}/api/v3/query_sql`, { method: 'POST', headers, body: JSON.stringify({ db, q }) });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text) as unknown[];
  };
  return { server, token, rows };
}

/** One guarded server for all tests of a file; each test uses databases of its own. */
export function sharedServer(args: readonly string[] = []): () => GuardedServer {
  let guarded: GuardedServer | undefined;
  const cleanups: (() => Promise<void>)[] = [];
  before(async () => {
    guarded = await startGuarded({ after: (cleanup) => void cleanups.unshift(cleanup) }, args);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  return () => guarded ?? assert.fail('the server did not start');
}

/** A promise that is settled from outside. */
export function deferred(): { promise: Promise<void>; resolve: () => void; reject: (error: Error) => void } {
  let resolve = (): void => {};
  let reject = (_: Error): void => {};
  const promise = new Promise<void>((done, failed) => {
    resolve = done;
    reject = failed;
  });
  return { promise, resolve, reject };
}
