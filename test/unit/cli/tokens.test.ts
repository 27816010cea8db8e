import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { valueTypes } from '../../../src/config/index.ts';
import { cli, withFake } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true }));

describe('tokens', () => {
  it('prints the token for people and for programs', async () => {
    await withFake(
      () => ({ status: 201, body: '{"id":0,"name":"_admin","token":"apiv3_x","expiry":null}' }),
      async (fake) => {
        const text = await cli(['create', 'token', '--admin', '-H', fake.url]);
        assert.equal(
          text.stdout,
          '\nNew token created successfully!\n\nToken: apiv3_x\nHTTP Requests Header: Authorization: Bearer apiv3_x\n\nIMPORTANT: Store this token securely, as it will not be shown again.\n\n',
        );
        const machine = JSON.parse((await cli(['create', 'token', '--admin', '--format', 'json', '-H', fake.url])).stdout) as Record<
          string,
          string
        >;
        assert.equal(machine['token'], 'apiv3_x');
        assert.ok(machine['help_msg']?.includes('"Authorization: Bearer apiv3_x"'));
        assert.deepEqual([fake.requests[0]?.path, fake.requests[0]?.body.length], ['/api/v3/configure/token/admin', 0]);
      },
    );
  });

  it('named tokens carry their expiry in seconds', async () => {
    await withFake(
      () => ({ status: 201, body: '{"token":"apiv3_x"}' }),
      async (fake) => {
        await cli(['create', 'token', '--admin', '--name', 'ci', '--expiry', '1h', '-H', fake.url]);
        assert.equal(fake.only.path, '/api/v3/configure/token/named_admin');
        assert.deepEqual(fake.onlyJson, { token_name: 'ci', expiry_secs: 3600 });
      },
    );
  });

  it('resource tokens carry their permissions, however they are typed', async () => {
    const permission = (names: string[], actions: string[], type = 'db') => ({ resource_type: type, resource_names: names, actions });
    for (const [words, permissions] of [
      [['--permission', 'db:a:read', '--name', 'n'], [permission(['a'], ['read'])]],
      [['--permission=db:a:read', '--name', 'n'], [permission(['a'], ['read'])]],
      [['--permission', '--name', 'n', 'db:a,b:read,write'], [permission(['a', 'b'], ['read', 'write'])]],
      [
        ['--permission', 'db:a,db:read', '--permission', 'db:*:*', '--name=n', '--permission', 'system:health:read'],
        [permission(['a', 'db'], ['read']), permission(['*'], ['read', 'write']), permission(['health'], ['read'], 'system')],
      ],
    ] as const) {
      await withFake(
        () => ({ status: 201, body: '{"token":"apiv3_x"}' }),
        async (fake) => {
          const { code, stdout, stderr } = await cli(['create', 'token', ...words, '--expiry', '2d', '--token', 't', '-H', fake.url]);
          assert.equal(code, 0, stderr);
          assert.match(stdout, /Token: apiv3_x\n/);
          assert.equal(fake.only.path, '/api/v3/enterprise/configure/token');
          assert.equal(fake.only.headers['authorization'], 'Bearer t');
          assert.deepEqual(fake.onlyJson, { token_name: 'n', permissions, expiry_secs: 172_800 });
        },
      );
    }
    for (const [words, told] of [
      [['--permission', '--name', 'n'], /required arguments were not provided:\n {2}<PERMISSION>/],
      [['--permission', 'db:a:read'], /required arguments were not provided:\n {2}--name <NAME>/],
      [['--permission', 'db:a', '--name', 'n'], /^error: invalid value 'db:a' for '--permission <PERMISSION>': 'db:a' is not of the form/],
      [
        ['--permission', 'db:a:read', '--permission', 'db:a:own', '--name', 'n'],
        /invalid value 'db:a:own' .*: 'own' cannot be done with db/,
      ],
    ] as const) {
      const { code, stderr } = await cli(['create', 'token', ...words]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, told);
    }
  });

  it('a token that exists already is a failure with the ways on', async () => {
    await withFake(
      () => ({ status: 409, body: 'token name already exists, _admin' }),
      async (fake) => {
        const { code, stdout, stderr } = await cli(['create', 'token', '--admin', '-H', fake.url]);
        assert.deepEqual([code, stdout], [1, '']);
        assert.match(stderr, /^Create command failed: token name already exists, _admin\n {2}hint: .*--name <name> .*--regenerate/);
      },
    );
    const away = await cli(['create', 'token', '--admin', '-H', 'http://127.0.0.1:1']);
    assert.equal(away.code, 1);
    assert.match(away.stderr, /^Create command failed: failed to send POST /);
  });

  it('a token that no header can carry is said to be one, before anything is sent', async () => {
    for (const [token, what] of [
      ['apiv3_x\n', 'has a line end in it'],
      ['apiv3 x', 'has a blank or another character that no header can carry'],
    ] as const) {
      const { code, stderr } = await cli(['show', 'databases', '-H', 'http://127.0.0.1:1'], { env: { INFLUXDB3_AUTH_TOKEN: token } });
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`^Show command failed: the token ${what}\n {2}hint: look at --token or INFLUXDB3_AUTH_TOKEN`));
    }
  });

  it('a host needs no scheme, and no port when it is that of InfluxDB 3', async () => {
    await withFake(
      () => ({ status: 200, body: '' }),
      async (fake) => {
        assert.equal((await cli(['healthcheck', '-H', fake.url.replace('http://', '')])).code, 0);
        assert.equal(fake.only.path, '/health');
      },
    );
    for (const [host, url] of [
      ['influx.local', 'http://influx.local:8181'],
      ['localhost:8086', 'http://localhost:8086'],
      ['10.0.0.5:8086/', 'http://10.0.0.5:8086'],
      ['[::1]', 'http://[::1]:8181'],
      ['[::1]:1', 'http://[::1]:1'],
      ['https://influx.local/x/', 'https://influx.local/x/'],
    ] as const) {
      assert.equal(valueTypes.hostUrl.parse(host, { memoryTotalBytes: 0 }), url);
    }
  });

  it('regenerate asks on standard output and wants exactly yes', async () => {
    await withFake(
      () => ({ status: 201, body: '{"token":"apiv3_new"}' }),
      async (fake) => {
        const args = ['create', 'token', '--admin', '--regenerate', '-H', fake.url];
        const no = await cli(args, { input: 'y\n' });
        assert.equal(no.code, 1);
        assert.match(no.stderr, /^Create command failed: Cannot regenerate token without confirmation\n/);
        assert.equal(fake.requests.length, 0);
        const sure = await cli(args, { input: ' yes \n' });
        assert.ok(sure.stdout.startsWith("Are you sure you want to regenerate admin token? Enter 'yes' to confirm\n"));
        assert.equal(fake.only.path, '/api/v3/configure/token/admin/regenerate');
      },
    );
  });

  it('offline: a file that only its owner reads', async () => {
    const file = join(folder, 't.json');
    const { code, stdout } = await cli(['create', 'token', '--admin', '--offline', '--output-file', file]);
    assert.equal(code, 0);
    assert.ok(stdout.startsWith(`Token saved to: ${file}\n\nNew token created successfully!\n`));
    const content = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(Object.keys(content), ['token', 'name']);
    assert.match(String(content['token']), /^apiv3_[A-Za-z0-9_-]{86}$/);
    assert.equal(content['name'], '_admin');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    await cli(['create', 'token', '--admin', '--offline', '--output-file', file, '--name', 'n', '--expiry', '1d']);
    const named = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    assert.deepEqual(Object.keys(named), ['token', 'name', 'expiry_millis']);
  });

  it('offline without a file is a usage error', async () => {
    const { code, stderr } = await cli(['create', 'token', '--admin', '--offline']);
    assert.equal(code, 2);
    assert.ok(stderr.includes('--output-file <FILE>'));
  });
});
