import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { type Answer, ask, makeOperator, tokenOf } from './security-support.ts';

/** Tokens of the tests and what they may do; `admin` and `named` are admin tokens. */
export const GRANTS = {
  readA: ['db:a:read'],
  writeA: ['db:a:write'],
  bothA: ['db:a:read,write'],
  bothB: ['db:b:read,write'],
  readAWriteB: ['db:a:read', 'db:b:write'],
  policyA: ['db:a/week:read,write'],
  readAll: ['db:*:read'],
  writeAll: ['db:*:write'],
  bothAll: ['db:*:*'],
  internal: ['db:_internal:read'],
  nowhere: ['db:nowhere:read,write'],
  metrics: ['system:metrics:read'],
  health: ['system:health:read'],
  system: ['system:*:read'],
} as const;

export type Limited = keyof typeof GRANTS;
export type Kind = Limited | 'admin' | 'named';

export const LIMITED = Object.keys(GRANTS) as Limited[];
export const ADMINS = ['admin', 'named'] as const;
export const KINDS: readonly Kind[] = [...ADMINS, ...LIMITED];

export type Tokens = Readonly<Record<Kind, string>>;

/** What `/api/v3/enterprise/configure/token` takes for permissions in their short form. */
export function bodyOf(name: string, permissions: readonly string[], expirySecs?: number): string {
  return JSON.stringify({
    token_name: name,
    permissions: permissions.map((text) => {
      const [type, names = '', actions = ''] = text.split(':');
      return { resource_type: type, resource_names: names.split(','), actions: actions.split(',') };
    }),
    ...(expirySecs === undefined ? {} : { expiry_secs: expirySecs }),
  });
}

export async function makeToken(
  url: string,
  admin: string,
  name: string,
  permissions: readonly string[],
  expirySecs?: number,
): Promise<string> {
  const json = bodyOf(name, permissions, expirySecs);
  const { status, text } = await ask(`${url}/api/v3/enterprise/configure/token`, { token: admin, json });
  assert.equal(status, 201, text);
  return tokenOf(text);
}

/** The operator token and one token of every kind. */
export async function makeTokens(url: string): Promise<Tokens> {
  const admin = await makeOperator(url);
  const named = await ask(`${url}/api/v3/configure/token/named_admin`, { token: admin, json: '{"token_name":"named"}' });
  const limited = await Promise.all(LIMITED.map(async (kind) => [kind, await makeToken(url, admin, kind, GRANTS[kind])] as const));
  return { admin, named: tokenOf(named.text), ...Object.fromEntries(limited) } as Tokens;
}

/** A query string. */
export function params(values: Readonly<Record<string, string>>): string {
  return new URLSearchParams(values).toString();
}

export async function write(url: string, token: string, db: string, lines: string): Promise<Answer> {
  return ask(`${url}/api/v3/write_lp?${params({ db, precision: 'nanosecond' })}`, { token, body: lines });
}

export async function sql(url: string, token: string, db: string, q: string): Promise<Answer> {
  return ask(`${url}/api/v3/query_sql?${params({ db, q, format: 'json' })}`, { token });
}

export async function rows(url: string, token: string, db: string, q: string): Promise<Record<string, unknown>[]> {
  const { status, text } = await sql(url, token, db, q);
  assert.equal(status, 200, text);
  return JSON.parse(text) as Record<string, unknown>[];
}

/** `POST /query`. */
export async function v1(url: string, token: string, q: string, db?: string): Promise<Answer> {
  return ask(`${url}/query?${params({ q, ...(db === undefined ? {} : { db }) })}`, { method: 'POST', token });
}

/** The text of a refusal, whichever of the two shapes it has. */
export function refusalOf({ text }: Answer): string {
  const body = JSON.parse(text) as { error?: string; message?: string };
  return body.error ?? body.message ?? '';
}

/** A server that asks for tokens, with one token of every kind. */
export interface LimitedServer {
  readonly url: string;
  readonly server: TestServer;
  tokens: Tokens;
  /** May do everything, but has expired. */
  readonly expired: string;
}

/** One for all tests of a file: the databases `a` and `b` with a policy each, and a plugin of `a`. It is there while tests run, not before. */
export function sharedLimited(): () => LimitedServer {
  const cleanups: (() => Promise<void>)[] = [];
  const whole = { after: (cleanup: () => Promise<void>) => void cleanups.unshift(cleanup) };
  let started: LimitedServer | undefined;
  before(async () => {
    started = await startLimited(whole);
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  return () => {
    if (started === undefined) throw new Error('the server has not started');
    return started;
  };
}

async function startLimited(t: { after(fn: () => Promise<void>): void }): Promise<LimitedServer> {
  const dir = await testDirectory(t);
  await mkdir(join(dir, 'plugins'));
  await writeFile(join(dir, 'plugins', 'hello.js'), `export function processRequest() { return 'hello'; }`);
  const args = ['--disable-telemetry-upload', '--telemetry-receiver', '--test-mode', '--plugin-dir', join(dir, 'plugins')];
  const server = await startServer(t, dir, { bare: true, args });
  const { url } = server;
  const tokens = await makeTokens(url);
  const expired = await makeToken(url, tokens.admin, 'expired', ['db:*:*', 'system:*:read'], 0);
  for (const [db, lines] of [
    ['a', 'm,t=ta v=1i 1000\nm,t=ta v=2i 2000'],
    ['b', 'm,t=tb v=11i 1000\nonly_b,tag_of_b=x secret=12i 2000'],
    ['a/week', 'm,t=tw v=21i 1000'],
    ['b/week', 'm,t=tw v=31i 1000'],
  ] as const) {
    const { status, text } = await write(url, tokens.admin, db, lines);
    assert.equal(status, 204, text);
  }
  const trigger = { db: 'a', plugin_filename: 'hello.js', trigger_name: 'hello', trigger_specification: 'request:hello' };
  const made = await ask(`${url}/api/v3/configure/processing_engine_trigger`, { token: tokens.admin, json: JSON.stringify(trigger) });
  assert.equal(made.status, 200, made.text);
  return { url, server, tokens, expired };
}
