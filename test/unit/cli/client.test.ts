import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type CliResult, cli, withFake } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true }));

const json = (value: unknown) => ({ body: JSON.stringify(value) });

describe('query', () => {
  it('posts the query and prints the body with a newline', async () => {
    await withFake(
      () => ({ body: '++\n++' }),
      async (fake) => {
        const result = await cli(['query', '-H', fake.url, '-d', 'db', '--format', 'jsonl', '--token', 'apiv3_t', 'SELECT 1']);
        assert.deepEqual([result.code, result.stdout, result.stderr], [0, '++\n++\n', '']);
        assert.deepEqual([fake.only.method, fake.only.path], ['POST', '/api/v3/query_sql']);
        assert.deepEqual(fake.onlyJson, { db: 'db', q: 'SELECT 1', format: 'json_lines', params: null });
        assert.equal(fake.only.headers['content-type'], 'application/json');
        assert.equal(fake.only.headers.authorization, 'Bearer apiv3_t');
      },
    );
  });

  it('takes the word before the file before standard input', async () => {
    const file = join(folder, 'q.sql');
    writeFileSync(file, 'from file');
    await withFake(
      () => ({}),
      async (fake) => {
        const base = ['q', '-H', fake.url, '-d', 'db', '-l', 'influxql'];
        await cli([...base, '-f', file, 'from word'], { input: 'from stdin' });
        await cli([...base, '-f', file], { input: 'from stdin' });
        await cli(base, { input: 'from stdin' });
        const texts = fake.requests.map((request) => (JSON.parse(request.body.toString()) as { q: string }).q);
        assert.deepEqual(texts, ['from word', 'from file', 'from stdin']);
        assert.equal(fake.requests[0]?.path, '/api/v3/query_influxql');
      },
    );
  });

  it('without any text fails with two spaces after the comma', async () => {
    const { code, stderr } = await cli(['query', '-d', 'db']);
    assert.deepEqual(
      [code, stderr],
      [1, 'Query command failed: No input from stdin detected, no string was passed in,  and no file path was given\n'],
    );
  });

  it('a missing file', async () => {
    const { code, stderr } = await cli(['query', '-d', 'db', '-f', join(folder, 'none')]);
    assert.equal(code, 1);
    assert.ok(stderr.startsWith('Query command failed: io error: No such file or directory (os error 2)\n'));
  });

  it('Parquet: raw bytes to a pipe and to --output, never to a terminal', async () => {
    const bytes = Buffer.from([0x50, 0x41, 0x52, 0x31, 0x00, 0xff]);
    await withFake(
      () => ({ body: bytes }),
      async (fake) => {
        const args = ['query', '-H', fake.url, '-d', 'db', '--format', 'parquet', 'q'];
        assert.deepEqual((await cli(args)).stdoutBytes, bytes);
        const file = join(folder, 'out.parquet');
        const saved = await cli([...args, '-o', file]);
        assert.deepEqual([saved.stdout, readFileSync(file)], ['', bytes]);
        const terminal = await cli(args, { terminal: true });
        assert.equal(terminal.code, 1);
        assert.ok(terminal.stderr.includes('cannot write parquet to a terminal, use `--output <file>` or pipe the output'));
      },
    );
  });

  it('a failed query leaves the output file alone', async () => {
    const file = join(folder, 'kept');
    writeFileSync(file, 'old');
    await withFake(
      () => ({ status: 400, body: 'no' }),
      async (fake) => {
        assert.equal((await cli(['query', '-H', fake.url, '-d', 'db', '-o', file, 'q'])).code, 1);
        assert.equal(readFileSync(file, 'utf8'), 'old');
      },
    );
  });

  it('--query-host wins over --host, and the path of the host is replaced', async () => {
    await withFake(
      () => ({}),
      async (fake) => {
        const result = await cli(['query', '-H', 'http://127.0.0.1:1', '--query-host', `${fake.url}/prefix`, '-d', 'db', 'q']);
        assert.equal(result.code, 0);
        assert.equal(fake.only.path, '/api/v3/query_sql');
      },
    );
  });
});

describe('errors of the server', () => {
  it('prints status, reason and body', async () => {
    await withFake(
      () => ({ status: 409, body: 'attempted to create a resource that already exists' }),
      async (fake) => {
        const { code, stderr, stdout } = await cli(['create', 'database', '-H', fake.url, 'x']);
        assert.deepEqual([code, stdout], [1, '']);
        assert.equal(
          stderr,
          'Create command failed: server responded with error [409 Conflict]: attempted to create a resource that already exists\n',
        );
      },
    );
  });

  it('prints the message member of a JSON body, else the whole body', async () => {
    await withFake(
      ({ query }) => ({ status: 400, body: query['db'] === 'a' ? '{"message":"only this"}' : '{"error":"all"}' }),
      async (fake) => {
        assert.match((await cli(['delete', 'database', '-y', '-H', fake.url, 'a'])).stderr, /\[400 Bad Request\]: only this\n/);
        assert.match((await cli(['delete', 'database', '-y', '-H', fake.url, 'b'])).stderr, /\[400 Bad Request\]: \{"error":"all"\}\n/);
      },
    );
  });

  it('show system puts one more prefix', async () => {
    await withFake(
      () => ({ status: 401 }),
      async (fake) => {
        const { stderr } = await cli(['show', 'system', '-H', fake.url, '-d', 'x', 'table-list']);
        assert.ok(stderr.startsWith('Show command failed: client error: server responded with error [401 Unauthorized]: \n'));
      },
    );
  });

  it('401 tells how to give a token, or that the given one is wrong', async () => {
    await withFake(
      () => ({ status: 401 }),
      async (fake) => {
        const args = ['query', '-H', fake.url, '-d', 'x', 'q'];
        assert.match((await cli(args)).stderr, /hint: give a token with --token or INFLUXDB3_AUTH_TOKEN/);
        assert.match((await cli(args, { env: { INFLUXDB3_AUTH_TOKEN: 't' } })).stderr, /hint: the token was not accepted/);
      },
    );
  });

  it('where a statement is wrong is a hint, unless the message says it', async () => {
    await withFake(
      ({ body }) => ({
        status: 400,
        headers: { 'x-influxdb-error-position': '2:8' },
        body: body.includes('selec') ? 'SQL error: ParserError("found: selec at Line: 2, Column: 8")' : 'No field named nope.',
      }),
      async (fake) => {
        const place = '\n  hint: look at line 2, column 8 of the statement\n';
        assert.ok((await cli(['query', '-H', fake.url, '-d', 'x', 'nope'])).stderr.includes(place));
        assert.ok(!(await cli(['query', '-H', fake.url, '-d', 'x', 'selec'])).stderr.includes('hint'));
      },
    );
  });

  it('an unknown database names those that look alike', async () => {
    await withFake(
      ({ method }) =>
        method === 'GET'
          ? json([{ 'iox::database': '_internal' }, { 'iox::database': 'sensors' }])
          : { status: 404, body: '{"error":"query error: database not found: sensor"}' },
      async (fake) => {
        const { stderr } = await cli(['query', '-H', fake.url, '-d', 'sensor', 'q']);
        assert.match(stderr, /hint: did you mean 'sensors'\?\n/);
      },
    );
  });

  it('a server that is not there', async () => {
    const { code, stderr } = await cli(['query', '-H', 'http://127.0.0.1:1', '-d', 'x', 'q']);
    assert.equal(code, 1);
    assert.equal(
      stderr,
      "Query command failed: failed to send POST http://127.0.0.1:1/api/v3/query_sql request: client error (Connect)\n  hint: nothing answers at http://127.0.0.1:1: is the server running? Start it with 'influxdb3 serve', or name another one with --host\n",
    );
  });

  it('a host of another scheme, and TLS to a plain server', async () => {
    assert.match((await cli(['query', '-H', 'ftp://localhost', '-d', 'x', 'q'])).stderr, /base URL error: URL scheme is not allowed/);
    await withFake(
      () => ({}),
      async (fake) => {
        const { stderr } = await cli(['query', '-H', fake.url.replace('http:', 'https:'), '-d', 'x', 'q']);
        assert.match(stderr, /client error \(Connect\)\n {2}hint: .*check whether its address begins with http:\/\/ or https:\/\//);
      },
    );
  });

  it('a CA file that is not there', async () => {
    const { stderr } = await cli(['query', '-d', 'x', '--tls-ca', join(folder, 'none.pem'), 'q']);
    assert.match(stderr, /Query command failed: io error: No such file or directory \(os error 2\)/);
  });
});

describe('.env and aliases before a client command', () => {
  it('the token of .env is used, the real environment wins', async () => {
    const home = join(folder, 'env');
    mkdirSync(home);
    writeFileSync(join(home, '.env'), 'INFLUXDB3_AUTH_TOKEN=from-file\n');
    await withFake(
      () => ({}),
      async (fake) => {
        await cli(['query', '-H', fake.url, '-d', 'x', 'q'], { cwd: home });
        await cli(['query', '-H', fake.url, '-d', 'x', 'q'], { cwd: home, env: { INFLUXDB3_AUTH_TOKEN: 'real' } });
        assert.deepEqual(
          fake.requests.map((request) => request.headers.authorization),
          ['Bearer from-file', 'Bearer real'],
        );
      },
    );
  });

  it('a broken .env stops every command', async () => {
    const home = join(folder, 'broken');
    mkdirSync(home);
    writeFileSync(join(home, '.env'), 'very bacon = y\n');
    const { code, stderr } = await cli(['--version'], { cwd: home });
    assert.equal(code, 1);
    assert.equal(stderr, "FATAL Error loading config from: Error parsing line: 'very bacon = y', error at line index: 5\nAborting\n");
  });

  it('an old name warns on standard error', async () => {
    const { code, stderr } = await cli(['--version'], { env: { LOG_FILTER: 'debug' } });
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^\S+Z {2}WARN influxdb3::env_compat: environment variable LOG_FILTER is deprecated, use INFLUXDB3_LOG_FILTER instead\n$/,
    );
  });
});

describe('tables on a terminal', () => {
  const rule = (...widths: number[]): string => `+${widths.map((width) => '-'.repeat(width + 2)).join('+')}+`;
  const table = (rows: readonly (readonly string[])[]): string => {
    const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => (row[index] ?? '').length)));
    const lines = rows.map((row) => `| ${row.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(' | ')} |`);
    return [rule(...widths), lines[0], rule(...widths), ...lines.slice(1), rule(...widths)].join('\n');
  };
  const shown = (body: string, columns: number): Promise<CliResult> =>
    new Promise((resolve, reject) => {
      withFake(
        () => ({ body }),
        async (fake) => resolve(await cli(['query', '-d', 'x', '-H', fake.url, 'SELECT 1'], { terminal: true, columns })),
      ).catch(reject);
    });

  it('that fit stay as they are', async () => {
    const body = table([
      ['host', 'value'],
      ['a', '1'],
    ]);
    const { stdout, stderr } = await shown(body, 80);
    assert.deepEqual([stdout, stderr], [`${body}\n`, '']);
  });

  it('that are too wide lose the ends of their widest columns, and say so', async () => {
    const body = table([
      ['host', 'text'],
      ['a', 'x'.repeat(60)],
      ['b', 'short | bar'],
    ]);
    const { stdout, stderr } = await shown(body, 30);
    assert.equal(
      stdout,
      `${[rule(4, 19), '| host | text                |', rule(4, 19), `| a    | ${'x'.repeat(18)}… |`, '| b    | short | bar         |', rule(4, 19)].join('\n')}\n`,
    );
    assert.match(stderr, /^ {2}hint: cut to the width of the terminal; .*--format csv/);
  });

  it('of too many columns show those that have room', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `column${i}`);
    const { stdout } = await shown(table([names, names]), 40);
    for (const line of stdout.trimEnd().split('\n')) assert.ok(line.length <= 40, line);
    assert.match(stdout, /\| colum… \| colum… \| colum… \| colum… \| …\|\n/);
  });
});
