import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rootCommand } from '../../../src/cli/root.ts';
import { serveOptionEntries } from '../../../src/config/index.ts';
import { cli } from './support.ts';

const golden = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', '..', 'test', 'unit', 'cli', 'golden');

/** Compares with a file; `UPDATE_GOLDEN=1` writes it instead. */
function assertGolden(name: string, text: string): void {
  const file = join(golden, name);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, text);
  assert.equal(text, readFileSync(file, 'utf8'));
}

describe('help', () => {
  for (const [file, args] of [
    ['help.txt', ['--help']],
    ['help-all.txt', ['--help-all']],
    ['serve-help.txt', ['serve', '--help']],
    ['serve-help-all.txt', ['serve', '--help-all']],
    ['query-help.txt', ['query', '--help']],
    ['create-token-help.txt', ['create', 'token', '--help']],
  ] as const) {
    it(`influxdb3 ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await cli(args);
      assert.deepEqual({ code, stderr }, { code: 0, stderr: '' });
      assertGolden(file, stdout);
    });
  }

  it('names every command of the program, as docs/cli.md does', async () => {
    const docs = readFileSync(join(golden, '..', '..', '..', '..', 'docs', 'cli.md'), 'utf8');
    const { stdout } = await cli(['--help']);
    for (const { name } of rootCommand().children) {
      assert.match(stdout, new RegExp(`^  ${name}[ ,]`, 'm'));
      assert.ok(docs.includes(`\`${name}\``), name);
    }
  });

  it('-h is --help, and wins over --help-all', async () => {
    const short = await cli(['serve', '-h']);
    assert.equal((await cli(['serve', '--help-all', '--help'])).stdout, short.stdout);
  });

  it('needs no required options and is found after other words', async () => {
    const { code, stdout } = await cli(['write', 'cpu a=1', '--help']);
    assert.equal(code, 0);
    assert.match(stdout, /Usage: influxdb3 write \[OPTIONS\] --database <DATABASE_NAME> \[LINE_PROTOCOL\]\.\.\./);
  });

  it('update, q and w have their own help', async () => {
    assert.match((await cli(['update', 'database', '--help'])).stdout, /Usage: influxdb3 update database /);
    assert.match((await cli(['q', '-h'])).stdout, /Usage: influxdb3 query /);
    assert.match((await cli(['w', '-h'])).stdout, /Usage: influxdb3 write /);
  });

  it('every option that is not hidden is in the long help, hidden ones are not', async () => {
    const { stdout } = await cli(['serve', '--help-all']);
    for (const [, spec] of serveOptionEntries()) {
      if (!spec.global) assert.equal(new RegExp(`--${spec.flag}\\b(?!-)`).test(stdout), spec.hidden !== true, spec.flag);
    }
  });

  it('is styled on a terminal unless NO_COLOR is set', async () => {
    assert.ok((await cli(['--help'], { terminal: true })).stdout.includes('\u001b[1m'));
    assert.ok(!(await cli(['--help'], { terminal: true, env: { NO_COLOR: '1' } })).stdout.includes('\u001b['));
    assert.ok(!(await cli(['--help'])).stdout.includes('\u001b['));
  });

  it('never shows a token from the environment', async () => {
    const { stdout } = await cli(['query', '--help'], { env: { INFLUXDB3_AUTH_TOKEN: 'apiv3_very-secret' } });
    assert.ok(!stdout.includes('very-secret'));
  });
});

describe('version', () => {
  for (const flag of ['--version', '-V']) {
    it(flag, async () => {
      const { code, stdout } = await cli([flag]);
      assert.equal(code, 0);
      assert.match(stdout, /^influxdb3 InfluxDB 3 Core \(TypeScript\), 3\.10\.0-ts\.\d+, revision [0-9a-z]+\n$/);
    });
  }
});

describe('completion scripts', () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    it(shell, async () => {
      const { code, stdout } = await cli(['completion', shell]);
      assert.equal(code, 0);
      for (const word of ['distinct_cache', 'table-list', 'telemetry-endpoint', 'pretty json jsonl csv parquet']) {
        assert.ok(stdout.includes(word), word);
      }
      assert.ok(!stdout.includes('test-mode'));
    });
  }
});
