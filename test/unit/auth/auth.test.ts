import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Authenticator, FULL_ACCESS, hashToken, makeToken, readTokenFile, type StoredToken } from '../../../src/auth/index.ts';
import { GATE_PATHS, OPEN_WORDS, type OpenWord, openedBy, pathsWith } from '../../../src/shared/gate-paths.ts';
import { type LogFields, type Logger, silentLogger } from '../../../src/shared/logger.ts';

/** Of the project; tests are built to `.build/all/test/unit/auth`. */
const root = join(import.meta.dirname, '..', '..', '..', '..', '..');

const UNAUTHENTICATED = { allowed: false, status: 401, message: 'the request was not authenticated' };
const MALFORMED = {
  allowed: false,
  status: 400,
  message:
    "Authorization header was malformed, the request was not in the form of 'Authorization: <auth-scheme> <token>', supported auth-schemes are Bearer, Token and Basic",
};

interface Request {
  readonly path?: string;
  readonly query?: string;
  readonly authorization?: string;
  readonly from?: string;
}

interface SetUp {
  readonly enabled?: boolean;
  readonly open?: OpenWord[];
  readonly remoteFirstToken?: boolean;
  /** Whether there is an operator token. */
  readonly operator?: boolean;
}

function setUp(options: SetUp = {}) {
  const tokens = new Map<string, StoredToken>([
    [hashToken('good'), {}],
    [hashToken('old'), { expiryMs: 5000 }],
  ]);
  const time = { wallMs: 1000, monotonicMs: 0 };
  const lines: [string, LogFields | undefined][] = [];
  const logger: Logger = { ...silentLogger, warn: (message, fields) => lines.push([message, fields]) };
  const authenticator = new Authenticator({
    enabled: options.enabled ?? true,
    openPaths: openedBy(options.open ?? []),
    remoteFirstToken: options.remoteFirstToken ?? false,
    tokens: { tokenByHash: (hash) => tokens.get(hash), hasOperatorToken: () => options.operator ?? false },
    clock: { nowMs: () => time.wallMs, monotonicMs: () => time.monotonicMs, nowNs: () => 0n },
    logger,
  });
  const verify = ({ path = '/api/v3/write_lp', query, authorization, from = '10.0.0.1' }: Request) =>
    authenticator.verify({ path, query, authorization, remoteAddress: from });
  return { authenticator, verify, tokens, time, lines };
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('tokens', () => {
  test('are 92 characters of 64 random bytes, known by their SHA-512', () => {
    const { token, hash } = makeToken();
    assert.match(token, /^apiv3_[A-Za-z0-9_-]{86}$/);
    assert.equal(hash, createHash('sha512').update(token).digest('hex'));
    assert.equal(makeToken((size) => Buffer.alloc(size, 0xff)).token, `apiv3_${'_'.repeat(85)}w`);
    assert.notEqual(makeToken().token, token);
  });
});

describe('verification', () => {
  test('no header, Bearer, Token, Basic', () => {
    const { verify } = setUp();
    assert.deepEqual(verify({}), UNAUTHENTICATED);
    for (const authorization of [
      'Bearer good',
      'Token good',
      'bearer good',
      'TOKEN good',
      basic('x:good').replace('Basic', 'basic'),
      basic('x:good'),
      basic(':good'),
    ]) {
      assert.deepEqual(verify({ authorization }), { allowed: true, access: FULL_ACCESS }, authorization);
    }
    for (const authorization of ['Bearer bad', 'Token ', basic('good:bad'), basic('x:')]) {
      assert.deepEqual(verify({ authorization }), UNAUTHENTICATED, authorization);
    }
  });

  test('as clients of InfluxDB 2 send them to InfluxDB 1.8, and with an empty token', () => {
    const { verify } = setUp();
    assert.deepEqual(verify({ authorization: 'Token any:good' }), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(verify({ authorization: 'Token any:bad' }), UNAUTHENTICATED);
    assert.deepEqual(verify({ authorization: 'Token' }), UNAUTHENTICATED);
    assert.deepEqual(setUp({ enabled: false }).verify({ authorization: 'Token' }), { allowed: true, access: FULL_ACCESS });
  });

  test('malformed headers', () => {
    const { verify } = setUp();
    const bad = [
      'Bearer',
      'Bearer good x',
      'Bearer  good',
      ' Bearer good',
      'Digest good',
      'Basic !!!',
      'Basic YTpi=',
      'Basic YTp',
      basic('a:b:good'),
      basic('good'),
      `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`,
      '',
    ];
    for (const authorization of bad) assert.deepEqual(verify({ authorization }), MALFORMED, authorization);
  });

  test('header bytes that are no visible ASCII', () => {
    const verdict = setUp().verify({ authorization: 'Bearer g\xf6od' });
    assert.ok(!verdict.allowed && verdict.status === 500 && verdict.message.startsWith('to str error: '));
  });

  test('p counts on the v1 paths only, and wins there', () => {
    const { verify } = setUp();
    assert.deepEqual(verify({ path: '/write', query: 'db=foo&u=any&p=good' }), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(verify({ path: '/query', query: 'p=bad', authorization: 'Bearer good' }), UNAUTHENTICATED);
    assert.deepEqual(verify({ path: '/query', query: 'p=good', authorization: 'nonsense' }), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(verify({ path: '/query', query: 'p=', authorization: 'Bearer good' }), UNAUTHENTICATED);
    assert.deepEqual(verify({ path: '/query', query: 'q=1', authorization: 'Bearer good' }), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(verify({ path: '/api/v3/write_lp', query: 'db=foo&p=good' }), UNAUTHENTICATED);
  });

  test('the endpoint of the first token is open to this machine until there is one, then to all, which it refuses; its neighbours are not', () => {
    const { verify, lines } = setUp();
    const first = { path: '/api/v3/configure/token/admin', authorization: 'nonsense' };
    assert.deepEqual(verify({ ...first, from: '127.0.0.1' }), { allowed: true, access: FULL_ACCESS });
    const refused = verify(first);
    assert.ok(!refused.allowed && refused.status === 403);
    assert.equal(lines.length, 1);
    assert.deepEqual(setUp({ operator: true }).verify(first), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(setUp({ remoteFirstToken: true }).verify(first), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(verify({ path: '/api/v3/configure/token/admin/regenerate' }), UNAUTHENTICATED);
  });

  test('--disable-authz opens exact paths', () => {
    const { verify } = setUp({ open: ['health', 'ping'] });
    for (const path of ['/health', '/api/v1/health', '/ping']) assert.deepEqual(verify({ path }), { allowed: true, access: FULL_ACCESS });
    for (const path of ['/metrics', '/health/', '/PING']) assert.deepEqual(verify({ path }), UNAUTHENTICATED);
  });

  test('every word of --disable-authz is known, and opens what the table says', () => {
    assert.deepEqual([...openedBy(OPEN_WORDS)], pathsWith('openable'));
    assert.deepEqual([...openedBy(['ready', 'pprof', 'node_stop'])], ['/ready', '/debug/pprof/heap']);
  });

  test('the table of paths with rules is the one in docs/api.md', () => {
    const page = readFileSync(join(root, 'docs', 'api.md'), 'utf8');
    const section = page.slice(page.indexOf('### Paths with rules of their own'), page.indexOf('## Tokens'));
    const rows = [...section.matchAll(/^\| `([^`]+)` \| ([a-z-]+):(.*) \|$/gm)].map(([, path, rule, text]) => ({
      path,
      rule,
      ...(rule === 'openable' ? { word: /`--disable-authz (\w+)`/.exec(text ?? '')?.[1] } : {}),
    }));
    assert.deepEqual(rows, GATE_PATHS);
  });

  test('expiry counts from its very millisecond', () => {
    const { verify, time, authenticator } = setUp();
    time.wallMs = 4999;
    assert.deepEqual(verify({ authorization: 'Bearer old' }), { allowed: true, access: FULL_ACCESS });
    time.wallMs = 5000;
    assert.deepEqual(verify({ authorization: 'Bearer old' }), { ...UNAUTHENTICATED, expired: true });
    assert.deepEqual(
      ['good', 'old', 'bad'].map((token) => authenticator.tokenState(token)),
      ['valid', 'expired', 'unknown'],
    );
  });

  test('a deleted token is refused at once', () => {
    const { verify, tokens } = setUp();
    assert.deepEqual(verify({ authorization: 'Bearer good' }), { allowed: true, access: FULL_ACCESS });
    tokens.delete(hashToken('good'));
    assert.deepEqual(verify({ authorization: 'Bearer good' }), UNAUTHENTICATED);
  });

  test('without authentication any token passes, malformed headers do not', () => {
    const { verify, authenticator } = setUp({ enabled: false });
    assert.equal(authenticator.enabled, false);
    assert.deepEqual(verify({}), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(verify({ authorization: 'Bearer junk' }), { allowed: true, access: FULL_ACCESS });
    assert.deepEqual(verify({ authorization: 'Digest junk' }), MALFORMED);
  });

  test('failures are logged once per source and minute, without the token', () => {
    const { verify, lines, time } = setUp();
    for (let i = 0; i < 3; i++) verify({ authorization: 'Bearer secret' });
    verify({ authorization: 'Bearer secret', from: '10.0.0.2' });
    assert.equal(lines.length, 2);
    time.monotonicMs = 60_000;
    verify({ authorization: 'Bearer secret' });
    assert.deepEqual(lines[2], ['authentication failed', { source: '10.0.0.1', path: '/api/v3/write_lp', suppressed: 2 }]);
    assert.ok(!JSON.stringify(lines).includes('secret'));
  });

  test('the memory of failed sources is bounded', () => {
    const { verify, lines } = setUp();
    for (let i = 0; i < 1001; i++) verify({ from: `source ${i}` });
    verify({ from: 'source 1000' });
    assert.equal(lines.length, 1001);
    verify({ from: 'source 0' });
    assert.equal(lines.length, 1002);
  });
});

describe('admin token file', () => {
  const read = (text: string, mode = 0o100600) => readTokenFile('/t', { readFile: async () => text, mode: async () => mode });

  test('a file gives name, hash and expiry; other members are ignored', async () => {
    const file = await read('{"token":"apiv3_abc","name":"_admin","expiry_millis":1756400061529,"description":"x"}');
    assert.deepEqual(file, {
      name: '_admin',
      token: 'apiv3_abc',
      hash: hashToken('apiv3_abc'),
      expiryMs: 1756400061529,
      warning: undefined,
    });
    assert.equal((await read('{"token":"apiv3_","name":""}')).expiryMs, undefined);
  });

  test('readable by others is a warning', async () => {
    const file = await read('{"token":"apiv3_abc","name":"n"}', 0o100644);
    assert.equal(file.warning, 'Admin token file has insecure permissions: 644. Consider using chmod 0600.');
  });

  test('what stops the start', async () => {
    await assert.rejects(read('{"token":"abc","name":"n"}'), { message: "Invalid token format: must start with 'apiv3_'" });
    await assert.rejects(read('{"name":"n"}'), { message: 'Failed to parse admin token file as JSON: missing field `token`' });
    await assert.rejects(read('{"token":"apiv3_"}'), { message: 'Failed to parse admin token file as JSON: missing field `name`' });
    for (const text of ['nope', 'apiv3_abc', '{"token": apiv3_abc}']) {
      await assert.rejects(read(text), { message: 'Failed to parse admin token file as JSON: the content is not valid JSON' });
    }
    await assert.rejects(readTokenFile('/no/such/file'), { message: /^Failed to read admin token file/ });
  });
});
