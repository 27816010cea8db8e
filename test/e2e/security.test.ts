import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import {
  type Answer,
  admits,
  ask,
  filesBelow,
  formsOf,
  makeOperator,
  OPERATOR,
  outputOf,
  post,
  REGENERATE,
  serve,
  sha512,
  startRecoverable,
  tlsArgs,
  tlsFiles,
  tokenFile,
  tokenOf,
  UNAUTHENTICATED,
  untilClosed,
} from './security-support.ts';

const QUIET = ['--disable-telemetry-upload'];

describe('the first operator token', () => {
  it('is refused to a client behind a proxy, with the way that works, and made for this machine', async (t) => {
    const server = await startServer(t, await testDirectory(t), { bare: true, args: ['--disable-telemetry-upload'] });
    const proxied = (): Promise<Response> =>
      fetch(`${server.url}${OPERATOR}`, { method: 'POST', headers: { 'x-forwarded-for': '192.0.2.60' } });
    const refused = await proxied();
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /run `influxdb3 create token --admin` there/);
    await makeOperator(server.url);
    assert.equal((await proxied()).status, 409);
  });
});

describe('recovery of the operator token', () => {
  it('makes a new one without a token, once: the old one is dead, the new one works, also after a restart', async (t) => {
    const dir = await testDirectory(t);
    const { server, recovery } = await startRecoverable(t, dir);
    const old = await makeOperator(server.url);
    assert.equal((await post(`${server.url}${REGENERATE}`)).status, 401);

    const done = await post(`${recovery}${REGENERATE}`);
    assert.equal(done.status, 201, done.text);
    const created = JSON.parse(done.text) as { id: number; name: string; token: string; hash: string; expiry: unknown };
    assert.deepEqual([created.id, created.name, created.expiry], [0, '_admin', null]);
    assert.match(created.token, /^apiv3_[\w-]{86}$/);
    assert.equal(created.hash, createHash('sha512').update(created.token).digest('hex'));
    assert.equal(done.headers['access-control-allow-origin'], '*');
    for (const name of ['content-type', 'cluster-uuid']) assert.ok(!(name in done.headers), name);

    assert.deepEqual([await admits(server.url, old), await admits(server.url, created.token)], [false, true]);
    await untilClosed(recovery);
    assert.deepEqual([await admits(server.url, old), await admits(server.url, created.token)], [false, true]);
    const output = await outputOf(server);
    assert.match(output, / WARN .*admin token recovery endpoint is open and needs no authentication/);
    assert.match(output, / WARN .*operator token was regenerated through the recovery endpoint, which closes now/);
    const again = await startServer(t, dir, { bare: true, args: QUIET });
    assert.deepEqual([await admits(again.url, old), await admits(again.url, created.token)], [false, true]);
    assert.ok(!(await outputOf(again)).includes('recovery'));
  });

  it('does nothing else, not even for the operator', async (t) => {
    const { server, recovery } = await startRecoverable(t, await testDirectory(t));
    const token = await makeOperator(server.url);
    const others = [
      ['GET', '/'],
      ['GET', '/health'],
      ['GET', REGENERATE],
      ['PUT', REGENERATE],
      ['DELETE', REGENERATE],
      ['OPTIONS', REGENERATE],
      ['POST', `${REGENERATE}/`],
      ['POST', REGENERATE.replace('admin', '%61dmin')],
      ['POST', OPERATOR],
      ['POST', '/api/v3/configure/token/named_admin'],
      ['DELETE', '/api/v3/configure/token?token_name=_admin'],
      ['POST', '/api/v3/write_lp?db=d'],
      ['GET', '/api/v3/query_sql?db=_internal&q=SELECT+*+FROM+system.tokens'],
      ['GET', '/metrics'],
    ] as const;
    for (const [method, path] of others) {
      for (const by of [{}, { token }]) {
        const { status, text } = await ask(`${recovery}${path}`, { method, ...by });
        assert.deepEqual([status, text], [404, 'not found'], `${method} ${path}`);
      }
    }
    assert.ok(await admits(server.url, token));
    assert.equal((await ask(`${server.url}/api/v3/query_sql?db=d&q=SELECT+1`, { token })).status, 404);
    assert.equal((await post(`${recovery}${REGENERATE}`)).status, 201);
  });

  it('many requests at once make one token, and that one works', async (t) => {
    const { server, recovery } = await startRecoverable(t, await testDirectory(t));
    const old = await makeOperator(server.url);
    const answers = await Promise.allSettled(Array.from({ length: 20 }, () => post(`${recovery}${REGENERATE}`)));
    const made = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.status === 201);
    assert.equal(made.length, 1);
    const token = tokenOf((made[0] as PromiseFulfilledResult<Answer>).value.text);
    assert.deepEqual([await admits(server.url, old), await admits(server.url, token)], [false, true]);
    await untilClosed(recovery);
  });

  it('a failure leaves it open: there must be an operator token first', async (t) => {
    const { server, recovery } = await startRecoverable(t, await testDirectory(t));
    for (let attempt = 0; attempt < 2; attempt++) {
      const { status, text } = await post(`${recovery}${REGENERATE}`);
      assert.deepEqual([status, text], [500, 'missing admin token, cannot update']);
    }
    const old = await makeOperator(server.url);
    const token = tokenOf((await post(`${recovery}${REGENERATE}`)).text);
    assert.deepEqual([await admits(server.url, old), await admits(server.url, token)], [false, true]);
  });

  it('is also there without authentication, and what it made counts once authentication is back', async (t) => {
    const dir = await testDirectory(t);
    const first = await startServer(t, dir, { bare: true, args: QUIET });
    const old = await makeOperator(first.url);
    await first.kill();
    const { server, recovery } = await startRecoverable(t, dir, ['--without-auth']);
    const token = tokenOf((await post(`${recovery}${REGENERATE}`)).text);
    await server.kill();
    const again = await startServer(t, dir, { bare: true, args: QUIET });
    assert.deepEqual([await admits(again.url, old), await admits(again.url, token)], [false, true]);
  });

  it('speaks TLS when the server does', async (t) => {
    const { server, recovery } = await startRecoverable(t, await testDirectory(t), tlsArgs(await tlsFiles(t)));
    const url = server.url.replace('http:', 'https:');
    const old = await makeOperator(url);
    await assert.rejects(post(`${recovery.replace('https:', 'http:')}${REGENERATE}`), { code: 'ECONNRESET' });
    assert.ok(await admits(url, old));
    const token = tokenOf((await post(`${recovery}${REGENERATE}`)).text);
    assert.deepEqual([await admits(url, old), await admits(url, token)], [false, true]);
    await untilClosed(recovery);
  });

  it('an address that is taken or an address file that exists stops the start', async (t) => {
    const cwd = await testDirectory(t);
    const other = createServer().listen(0, '127.0.0.1');
    t.after(() => void other.close());
    await once(other, 'listening');
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    const bind = '--admin-token-recovery-http-bind';
    const busy = await serve(cwd, [bind, taken]);
    assert.equal(busy.code, 1);
    assert.match(
      busy.stderr,
      /^Serve command failed: Failed to bind address: port \d+ .* or choose another --admin-token-recovery-http-bind$/m,
    );

    const file = join(cwd, 'address');
    writeFileSync(file, 'of another server');
    const exists = await serve(cwd, [bind, '127.0.0.1:0', '--admin-token-recovery-tcp-listener-file-path', file]);
    assert.equal(exists.code, 1);
    assert.match(exists.stderr, /^Serve command failed: Server error: io error: File exists/m);
    assert.equal(readFileSync(file, 'utf8'), 'of another server');
  });
});

const FIRST = 'apiv3_first_token_of_the_file';
const SECOND = 'apiv3_second_token_of_the_file';

describe('the admin token file', () => {
  for (const [how, options] of [
    ['--admin-token-file', (path: string) => ({ args: [...QUIET, '--admin-token-file', path] })],
    ['INFLUXDB3_ADMIN_TOKEN_FILE', (path: string) => ({ args: QUIET, env: { INFLUXDB3_ADMIN_TOKEN_FILE: path } })],
  ] as const) {
    it(`${how}: the first start creates the token, the next ones keep it, whatever the file says then`, async (t) => {
      const dir = await testDirectory(t);
      const file = await tokenFile(t, { token: FIRST, name: '_admin' });
      const start = (): Promise<TestServer> => startServer(t, dir, { bare: true, ...options(file.path) });
      const first = await start();
      assert.deepEqual([await admits(first.url, FIRST), await admits(first.url, SECOND)], [true, false]);
      const taken = await post(`${first.url}${OPERATOR}`);
      assert.deepEqual([taken.status, taken.text], [409, 'token name already exists, _admin']);
      const firstOutput = await outputOf(first);
      assert.match(firstOutput, / INFO .*admin token created from its file name=_admin/);
      assert.doesNotMatch(firstOutput, /already exists/);

      const second = await start();
      assert.ok(await admits(second.url, FIRST));
      assert.match(await outputOf(second), / INFO .*admin token already exists, its file changes nothing name=_admin/);

      file.write({ token: SECOND, name: '_admin' });
      const third = await start();
      assert.deepEqual([await admits(third.url, FIRST), await admits(third.url, SECOND)], [true, false]);
      const thirdOutput = await outputOf(third);
      assert.match(thirdOutput, / WARN .*admin token already exists with another text: the one in the file does not work name=_admin/);
      for (const output of [firstOutput, thirdOutput]) assert.ok(!output.includes(FIRST) && !output.includes(SECOND));
    });
  }

  it('another name in the file adds a token beside the first; an expired one opens nothing', async (t) => {
    const dir = await testDirectory(t);
    const file = await tokenFile(t, { token: FIRST, name: '_admin' });
    const options = { bare: true, args: [...QUIET, '--admin-token-file', file.path] };
    await (await startServer(t, dir, options)).kill();
    file.write({ token: SECOND, name: 'ci' });
    const second = await startServer(t, dir, options);
    assert.deepEqual([await admits(second.url, FIRST), await admits(second.url, SECOND)], [true, true]);
    await second.kill();
    const late = 'apiv3_too_late';
    file.write({ token: late, name: 'late', expiry_millis: 1 });
    const third = await startServer(t, dir, options);
    const admitted = await Promise.all([FIRST, SECOND, late].map((token) => admits(third.url, token)));
    assert.deepEqual(admitted, [true, true, false]);
  });

  it('a file that others can read is warned of; without authentication it is not even read', async (t) => {
    const dir = await testDirectory(t);
    const file = await tokenFile(t, { token: FIRST, name: '_admin' }, 0o644);
    const args = [...QUIET, '--admin-token-file', file.path];
    const open = await startServer(t, dir, { bare: true, args });
    assert.ok(await admits(open.url, FIRST));
    assert.match(await outputOf(open), / WARN .*Admin token file has insecure permissions: 644\. Consider using chmod 0600\./);
    file.write('no JSON');
    const free = await startServer(t, dir, { bare: true, args: [...args, '--without-auth'] });
    assert.ok(await admits(free.url, 'anything'));
  });

  it('a file that holds no token stops the start, without a word of its content', async (t) => {
    const cwd = await testDirectory(t);
    const secret = 'S3cr3t';
    const failed = 'Serve command failed: Token error: ';
    for (const [content, message] of [
      [`apiv3_${secret}`, `${failed}Failed to parse admin token file as JSON: `],
      [secret, `${failed}Failed to parse admin token file as JSON: `],
      [`{"token": ${secret}}`, `${failed}Failed to parse admin token file as JSON: `],
      [`{"token":"apiv3_${secret}","name":"n"`, `${failed}Failed to parse admin token file as JSON: `],
      [{ token: `apiv3_${secret}` }, `${failed}Failed to parse admin token file as JSON: missing field \`name\``],
      [{ token: secret, name: 'n' }, `${failed}Invalid token format: must start with 'apiv3_'`],
    ] as const) {
      const file = await tokenFile(t, content);
      const { code, stdout, stderr } = await serve(cwd, ['--admin-token-file', file.path]);
      assert.equal(code, 1);
      assert.ok(stderr.includes(message), stderr);
      for (const part of [secret, secret.slice(0, 3)]) assert.ok(!`${stdout}${stderr}`.includes(part), stderr);
    }
    const missing = await serve(cwd, [], { INFLUXDB3_ADMIN_TOKEN_FILE: join(cwd, 'none') });
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /^Serve command failed: Token error: Failed to read admin token file/m);
  });
});

describe('where tokens are to be found', () => {
  it('not in the log at its most talkative, not in any file, not in any system table: there is only the hash', async (t) => {
    const dir = await testDirectory(t);
    const data = join(dir, 'data');
    mkdirSync(data);
    const preset = `apiv3_${'preset'.repeat(10)}`;
    const file = await tokenFile(t, { token: preset, name: 'preset' });
    const talkative = ['-vvv', '--disable-log-filter-noise-reduction', '--wal-flush-interval', '5ms', '--wal-snapshot-size', '1'];
    const args = [...talkative, '--admin-token-file', file.path];
    const { server, recovery } = await startRecoverable(t, data, args);
    const { url } = server;
    const operator = await makeOperator(url);
    const named = tokenOf((await post(`${url}/api/v3/configure/token/named_admin`, { token: operator, json: '{"token_name":"ci"}' })).text);
    const regenerated = tokenOf((await post(`${url}${REGENERATE}`, { token: named })).text);
    const recovered = tokenOf((await post(`${recovery}${REGENERATE}`)).text);
    const wrong = `apiv3_${'wrong'.repeat(12)}`;
    const tokens = [preset, operator, named, regenerated, recovered, wrong];

    const seen: string[] = [];
    for (const token of tokens) {
      const basic = `Basic ${Buffer.from(`x:${token}`).toString('base64')}`;
      const write = `${url}/write?db=d&p=${token}`;
      const query = `${url}/query?db=d&q=SELECT+v+FROM+m&p=${token}`;
      seen.push((await ask(write, { body: 'm v=1' })).text);
      seen.push((await ask(write, { body: 'm v=' })).text);
      seen.push((await ask(query)).text);
      seen.push((await ask(query.replace('FROM', 'FORM'))).text);
      for (const authorization of [`Bearer ${token}`, `Token ${token}`, basic, `bearer ${token}`, `Bearer ${token} x`]) {
        seen.push((await ask(`${url}/api/v3/write_lp?db=d`, { authorization, body: 'm v=2' })).text);
        seen.push((await ask(`${url}/api/v3/query_sql?db=d&q=SELECT+nothing`, { authorization })).text);
        seen.push((await ask(`${url}/nosuch`, { authorization })).text);
      }
    }
    for (const table of ['tokens', 'queries', 'nodes', 'telemetry_reports']) {
      const q = encodeURIComponent(`SELECT * FROM system.${table}`);
      seen.push((await ask(`${url}/api/v3/query_sql?db=_internal&q=${q}`, { token: recovered })).text);
    }
    const pages = ['/metrics', '/telemetry', '/api/v3/configure/database?format=json'];
    for (const path of pages) seen.push((await ask(`${url}${path}`, { token: recovered })).text);
    assert.ok(seen.some((text) => text.includes(sha512(recovered).slice(0, 9))));

    const output = await outputOf(server);
    assert.match(output, / DEBUG /);
    const restarted = await startServer(t, data, { bare: true, args: [...QUIET, ...args] });
    assert.ok(await admits(restarted.url, recovered));
    await restarted.kill('SIGKILL');

    const files = filesBelow(dir);
    assert.ok(files.some((path) => path.endsWith('.parquet')) && existsSync(file.path));
    const contents = files.map((path) => [path, readFileSync(path, 'latin1')] as const);
    const places = [...contents, ['log', output], ['log after the restart', restarted.output], ['answers', seen.join('\n')]] as const;
    for (const token of tokens) {
      for (const form of formsOf(token)) {
        for (const [place, text] of places) assert.ok(!text.includes(form), `${place} has ${form}`);
      }
    }
    const stored = contents.map(([, text]) => text).join('\n');
    for (const token of [preset, named, recovered]) assert.ok(stored.includes(sha512(token)));
    assert.ok(!stored.includes(sha512(wrong)));
    for (const text of [output, restarted.output]) assert.doesNotMatch(text, /[0-9a-f]{128}/);
  });
});

describe('failed attempts', () => {
  it('are logged once per source and minute, with the path and without the token', async (t) => {
    const server = await startServer(t, await testDirectory(t), { bare: true, args: QUIET });
    const operator = await makeOperator(server.url);
    const guess = async (number: number, path: string, from: string): Promise<void> => {
      const { status, text } = await ask(`${server.url}${path}`, { token: `apiv3_guess_${number}`, from });
      assert.deepEqual([status, text], [401, UNAUTHENTICATED]);
    };
    for (let number = 0; number < 20; number++) {
      await guess(number, number % 2 === 0 ? '/health?secret=yes' : '/api/v3/query_sql?db=d&q=SELECT+1', '127.0.0.1');
      assert.ok(await admits(server.url, operator));
    }
    for (let number = 0; number < 5; number++) await guess(number, '/metrics', '127.0.0.2');
    const output = await outputOf(server);
    const lines = output.split('\n').filter((line) => line.includes('authentication failed'));
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[0] as string, / WARN influxdb3_authz: authentication failed source=127\.0\.0\.1 path=\/health suppressed=0$/);
    assert.match(lines[1] as string, / WARN influxdb3_authz: authentication failed source=127\.0\.0\.2 path=\/metrics suppressed=0$/);
    for (const text of ['apiv3_', 'guess', 'secret']) assert.ok(!output.includes(text), text);
  });
});
