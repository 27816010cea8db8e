import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { countLines, cutAtLines, rowLines } from '../../../src/cli/client/cut-lines.ts';
import { progressText } from '../../../src/cli/client/progress.ts';
import { cli, withFake } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'cli-'));
after(() => rmSync(folder, { recursive: true }));

async function* chunks(parts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function cut(parts: readonly string[], bytesMax: number): Promise<string[]> {
  const pieces: string[] = [];
  for await (const piece of cutAtLines(chunks(parts), bytesMax)) pieces.push(piece.body.toString());
  return pieces;
}

describe('write', () => {
  it('sends the lines as they are, prints only progress on standard error', async () => {
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        const args = ['write', '-H', fake.url, '-d', 'db', '-p', 'ms', '--accept-partial', '--no-sync', 'cpu a=1 1\ncpu a=2 2'];
        const { code, stdout, stderr } = await cli(args);
        assert.deepEqual([code, stdout], [0, '']);
        assert.match(stderr, /^ {2}\d+ms: 1 request \([\d.]+ requests\/sec\), 2 lines \(\d+ lines\/s\), 19B \([\d.]+[KMG]?i?B\/s\)\n$/);
        assert.deepEqual(
          [fake.only.path, fake.only.query],
          ['/api/v3/write_lp', { db: 'db', precision: 'millisecond', accept_partial: 'true', no_sync: 'true' }],
        );
        assert.equal(fake.only.body.toString(), 'cpu a=1 1\ncpu a=2 2');
      },
    );
  });

  it('sends only the database unless told otherwise; -q is silent', async () => {
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        const { stderr } = await cli(['w', '-H', fake.url, '-d', 'db', '-q'], { input: 'cpu a=1\n' });
        assert.equal(stderr, '');
        assert.deepEqual(fake.only.query, { db: 'db' });
      },
    );
  });

  it('after the first line everything is a line', async () => {
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        const { code, stderr } = await cli(['write', '-H', fake.url, '-d', 'db', 'cpu a=1', '-q']);
        assert.equal(code, 1);
        assert.match(stderr, /ensure that a single protocol line string/);
      },
    );
  });

  it('zips each request when asked to', async () => {
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        await cli(['write', '-H', fake.url, '-d', 'db', '-q', '--gzip', 'cpu a=1']);
        assert.equal(fake.only.headers['content-encoding'], 'gzip');
        assert.equal(gunzipSync(fake.only.body).toString(), 'cpu a=1');
      },
    );
  });

  it('25 MiB of standard input make 3 requests', async () => {
    const line = `${'x'.repeat(1023)}\n`;
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        const { code, stderr } = await cli(['write', '-H', fake.url, '-d', 'db'], { input: line.repeat(25 * 1024) });
        assert.equal(code, 0);
        assert.equal(fake.requests.length, 3);
        assert.equal(
          fake.requests.reduce((sum, { body }) => sum + body.length, 0),
          25 * 1024 * 1024,
        );
        assert.match(stderr, /3 requests \([\d.]+ requests\/sec\), 25600 lines \(\d+ lines\/s\), 25\.00MiB \([\d.]+[KMG]iB\/s\)\n$/);
      },
    );
  });

  it('reads a file; empty input sends nothing', async () => {
    const file = join(folder, 'x.lp');
    writeFileSync(file, '');
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        const empty = await cli(['write', '-H', fake.url, '-d', 'db', '-f', file]);
        assert.deepEqual([empty.code, empty.stdout, empty.stderr, fake.requests.length], [0, '', '', 0]);
        writeFileSync(file, 'cpu a=1');
        assert.equal((await cli(['write', '-H', fake.url, '-d', 'db', '-f', file])).code, 0);
        assert.equal(fake.only.body.toString(), 'cpu a=1');
      },
    );
    const missing = await cli(['write', '-d', 'db', '-f', join(folder, 'none')]);
    assert.equal(missing.code, 1);
    assert.ok(missing.stderr.startsWith('Write command failed: error reading file: '));
  });

  it('unzips .lp.gz, whatever its name, and says when it is damaged', async () => {
    const lines = 'cpu a=1 1\ncpu a=2 2\n';
    const file = join(folder, 'rows');
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        writeFileSync(file, gzipSync(lines));
        assert.equal((await cli(['write', '-q', '-H', fake.url, '-d', 'db', '-f', file])).code, 0);
        assert.equal((await cli(['write', '-q', '-H', fake.url, '-d', 'db'], { input: gzipSync(lines) })).code, 0);
        assert.deepEqual(
          fake.requests.map(({ body }) => body.toString()),
          [lines, lines],
        );
        writeFileSync(file, gzipSync(lines).subarray(0, 20));
        const { code, stderr } = await cli(['write', '-q', '-H', fake.url, '-d', 'db', '-f', file]);
        assert.equal(code, 1);
        assert.match(stderr, /^Write command failed: the gzip data is damaged or cut off: unexpected end of file\n {2}hint: gzip -t/);
      },
    );
  });

  it('a long file shows how much of it is done', async () => {
    const file = join(folder, 'long.lp');
    writeFileSync(file, 'cpu a=1\n'.repeat(100));
    await withFake(
      () => ({ status: 204 }),
      async (fake) => {
        const { stderr } = await cli(['write', '-H', fake.url, '-d', 'db', '-f', file, '--max-request-size', '400']);
        assert.match(stderr, /2 requests .*, 100 lines .*, 100%\n$/);
      },
    );
  });

  it('a request that fails names its lines and what was stored', async () => {
    await withFake(
      ({ body }) => (body.includes('a=3') ? { status: 503, body: 'busy' } : { status: 204 }),
      async (fake) => {
        const args = ['write', '-q', '-H', fake.url, '-d', 'db', '--max-request-size', '16', '--max-concurrent-requests', '1'];
        const { code, stderr } = await cli(args, { input: 'cpu a=1\ncpu a=2\ncpu a=3\ncpu a=4\ncpu a=5\n' });
        assert.equal(code, 1);
        assert.equal(
          stderr,
          'Write command failed: server responded with error [503 Service Unavailable]: busy\n' +
            '  the request had lines 3 to 4; stored so far: 2 rows in 1 requests\n',
        );
      },
    );
  });

  it('the first failure ends it', async () => {
    await withFake(
      () => ({ status: 400, body: '{"error":"partial write of line protocol occurred"}' }),
      async (fake) => {
        const { code, stderr } = await cli(
          ['write', '-H', fake.url, '-d', 'db', '--max-request-size', '10', '--max-concurrent-requests', '1'],
          {
            input: 'cpu a=1\ncpu a=2\ncpu a=3\n',
          },
        );
        assert.equal(code, 1);
        assert.match(stderr, /^Write command failed: server responded with error \[400 Bad Request\]: /);
        assert.equal(fake.requests.length, 1);
      },
    );
  });
});

describe('cutting input at line ends', () => {
  it('fills requests up to the limit; exactly the limit fits', async () => {
    assert.deepEqual(await cut(['a\nb\nc\n'], 4), ['a\nb\n', 'c\n']);
    assert.deepEqual(await cut(['aaa\n'], 4), ['aaa\n']);
    assert.deepEqual(await cut(['a\nb'], 2), ['a\n', 'b']);
  });

  it('keeps a line that is too long whole', async () => {
    assert.deepEqual(await cut(['aaaaaa', 'aaa\nb\n'], 4), ['aaaaaaaaa\n', 'b\n']);
  });

  it('line ends in strings are no line ends, unless the string never ends', async () => {
    assert.deepEqual(await cut(['m s="a\nb" 1\nm s="c" 2\n'], 13), ['m s="a\nb" 1\n', 'm s="c" 2\n']);
    assert.deepEqual(await cut(['m s="a\nb 1\nm s=2i 2\nm v=1 3\n'], 12), ['m s="a\nb 1\n', 'm s=2i 2\n', 'm v=1 3\n']);
  });

  it('knows which lines hold rows', () => {
    assert.deepEqual(rowLines(Buffer.from('# c\n\nm v=1\n  \nm s="a\nb"\n#x\nm v=2')), [3, 5, 8]);
  });

  it('loses and changes nothing, whatever the chunks', async () => {
    const parts = fc.array(fc.stringMatching(/^[ab\n]{0,9}$/), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 12 }), async (input, bytesMax) => {
        const pieces = await cut(input, bytesMax);
        assert.equal(pieces.join(''), input.join(''));
        for (const piece of pieces.slice(0, -1)) assert.ok(piece.endsWith('\n'));
        for (const piece of pieces) assert.ok(piece.length <= bytesMax || !piece.slice(0, -1).includes('\n'));
      }),
    );
  });
});

describe('progress of write', () => {
  it('has the documented shape', () => {
    const line = progressText({ requests: 3, lines: 100_000, bytes: 24 * 1024 ** 2 }, 1230.4);
    assert.equal(line, '  1s 230ms: 3 requests (2.44 requests/sec), 100000 lines (81274 lines/s), 24.00MiB (19.51MiB/s)');
    assert.match(
      progressText({ requests: 1, lines: 1, bytes: 512 }, 102),
      /^ {2}102ms: 1 request \(9\.80 requests\/sec\), 1 lines \(10 lines\/s\), 512B /,
    );
    assert.match(progressText({ requests: 1, lines: 1, bytes: 1536 }, 1000), /1\.50KiB/);
    assert.match(progressText({ requests: 1, lines: 1, bytes: 1, share: 0.25 }, 21_000), /, 25%, 1m 3s left$/);
    assert.match(progressText({ requests: 2, lines: 1, bytes: 1, share: 1 }, 21_000), /, 100%$/);
  });

  it('counts an unterminated last line', () => {
    assert.equal(countLines(Buffer.from('a\nb')), 2);
    assert.equal(countLines(Buffer.from('a\nb\n')), 2);
    assert.equal(countLines(Buffer.from('')), 0);
  });
});
