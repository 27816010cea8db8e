import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { testCertificate, testKey } from '../http/tls-fixture.ts';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { runProgram } from './cli-support.ts';

export const REGENERATE = '/api/v3/configure/token/admin/regenerate';
export const OPERATOR = '/api/v3/configure/token/admin';
export const UNAUTHENTICATED = '{"error": "the request was not authenticated"}';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Ask {
  readonly method?: string;
  readonly token?: string;
  readonly authorization?: string;
  readonly body?: string;
  /** A body with its content type. */
  readonly json?: string;
  /** Address that the request comes from. */
  readonly from?: string;
  /** Keeps connections; a connection of its own without it. */
  readonly agent?: Agent;
}

/** One request; https trusts the fixture's certificate and nothing else. */
export async function ask(url: string, options: Ask = {}): Promise<Answer> {
  const { token, json, body = json, method = body === undefined ? 'GET' : 'POST', from } = options;
  const authorization = options.authorization ?? (token === undefined ? undefined : `Bearer ${token}`);
  const request = url.startsWith('https:') ? requestHttps : requestHttp;
  const outgoing = request(url, {
    method,
    agent: options.agent ?? false,
    ca: testCertificate,
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(from === undefined ? {} : { localAddress: from }),
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString(), headers: response.headers };
}

export function post(url: string, options: Ask = {}): Promise<Answer> {
  return ask(url, { method: 'POST', ...options });
}

/** 200 or 401: whether the token opens the door. */
export async function admits(url: string, token: string): Promise<boolean> {
  const { status, text } = await ask(`${url}/health`, { token });
  assert.ok(status === 200 || (status === 401 && text === UNAUTHENTICATED), `${status} ${text}`);
  return status === 200;
}

export async function makeOperator(url: string): Promise<string> {
  const { status, text } = await post(`${url}${OPERATOR}`);
  assert.equal(status, 201, text);
  return tokenOf(text);
}

export function tokenOf(text: string): string {
  return (JSON.parse(text) as { token: string }).token;
}

/** Everything that the server wrote, from start to a clean stop. */
export async function outputOf(server: TestServer): Promise<string> {
  await server.kill();
  return server.output;
}

/** Resolves once nothing listens there any more; until then no request may have made a token. */
export async function untilClosed(url: string): Promise<void> {
  for (;;) {
    const code = await post(`${url}${REGENERATE}`).then(
      ({ status }) => status,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (code === 'ECONNREFUSED') return;
    assert.ok(code === 404 || code === 'ECONNRESET', String(code));
  }
}

export interface Recoverable {
  readonly server: TestServer;
  /** Address of the recovery listener. */
  readonly recovery: string;
}

export async function startRecoverable(t: TestContext, dir: string, args: readonly string[] = []): Promise<Recoverable> {
  const file = join(await testDirectory(t), 'recovery-address');
  const recoveryArgs = ['--admin-token-recovery-http-bind', '127.0.0.1:0', '--admin-token-recovery-tcp-listener-file-path', file];
  const server = await startServer(t, dir, { bare: true, args: ['--disable-telemetry-upload', ...recoveryArgs, ...args] });
  const address = readFileSync(file, 'utf8');
  assert.match(address, /^127\.0\.0\.1:\d+$/);
  return { server, recovery: `${args.includes('--tls-cert') ? 'https' : 'http'}://${address}` };
}

/** A start that must fail. */
export function serve(cwd: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): ReturnType<typeof runProgram> {
  const base = ['serve', '--node-id', 'test', '--data-dir', join(cwd, 'data'), '--http-bind', '127.0.0.1:0', '--disable-telemetry-upload'];
  return runProgram([...base, ...args], { cwd, env });
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export async function tlsFiles(t: TestContext): Promise<TlsFiles> {
  const dir = await testDirectory(t);
  const files = { cert: join(dir, 'server.crt'), key: join(dir, 'server.key') };
  writeFileSync(files.cert, testCertificate);
  writeFileSync(files.key, testKey, { mode: 0o600 });
  return files;
}

export function tlsArgs({ cert, key }: TlsFiles): string[] {
  return ['--tls-cert', cert, '--tls-key', key];
}

export interface TokenFile {
  readonly path: string;
  write(content: unknown): void;
}

/** A token file outside the data directory. */
export async function tokenFile(t: TestContext, content: unknown, mode = 0o600): Promise<TokenFile> {
  const path = join(await testDirectory(t), 'token.json');
  const write = (value: unknown): void => {
    writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value), { mode });
    chmodSync(path, mode);
  };
  write(content);
  return { path, write };
}

/** Every file below a directory. */
export function filesBelow(directory: string): string[] {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** The forms in which a secret could be lying about. */
export function formsOf(token: string): string[] {
  const secret = token.replace('apiv3_', '');
  const encoded = ['base64', 'base64url', 'hex'] as const;
  // Two bytes in front shift the groups of base64; the ends depend on what surrounds the token.
  const shifted = ['', 'x:'].map((user) => Buffer.from(`${user}${token}`).toString('base64').slice(4, -4));
  return [secret, ...encoded.map((encoding) => Buffer.from(secret).toString(encoding)), ...shifted];
}

export function sha512(token: string): string {
  return createHash('sha512').update(token).digest('hex');
}
