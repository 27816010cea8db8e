import assert from 'node:assert/strict';
import type { TestServer } from '../support/server.ts';

/** One configure request and what it must answer. Text: exact, or a pattern. */
export type AdminCase = readonly [method: string, path: string, body: unknown, status: number, text: string | RegExp];

/** Sends a request below `/api/v3/configure/`; a body goes as JSON. */
export async function configure(
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; text: string; headers: Headers }> {
  const json = body === undefined ? {} : { 'content-type': 'application/json' };
  const response = await fetch(`${server.url}/api/v3/configure/${path}`, {
    method,
    headers: { ...json, ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

/** Runs the cases in order. */
export async function runCases(
  server: TestServer,
  cases: readonly AdminCase[],
  headers: Readonly<Record<string, string>> = {},
): Promise<void> {
  for (const [method, path, body, status, text] of cases) {
    const answer = await configure(server, method, path, body, headers);
    const label = `${method} ${path} ${body === undefined ? '' : JSON.stringify(body)}`;
    assert.equal(answer.status, status, `${label}: ${answer.text}`);
    if (typeof text === 'string') assert.equal(answer.text, text, label);
    else assert.match(answer.text, text, label);
  }
}
