import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureDebianModule } from '../tooling/ensure-debian-package.ts';
import { sharedServer } from './support.ts';

const run = promisify(execFile);

/** Debian's own interpreter, which alone has its packages. */
const PYTHON = '/usr/bin/python3';

const found = ensureDebianModule(() => hasModule('influxdb'), 'python3-influxdb');

function hasModule(name: string): boolean {
  if (!existsSync(PYTHON)) return false;
  try {
    execFileSync(PYTHON, ['-c', `import ${name}`], { stdio: 'pipe' });
    return true;
  } catch (error) {
    if ((error as { status?: unknown }).status === 1) return false;
    throw error;
  }
}

/** The script stands beside the sources, not beside the compiled tests. */
function script(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  for (; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'test/clients/influxdb-python.py');
    if (existsSync(path)) return path;
  }
  return assert.fail('influxdb-python.py is not there');
}

const shared = sharedServer();
const reason = found.kind === 'missing' ? `: skipped, ${found.reason}` : '';

describe(`influxdb for Python, which asks for MessagePack${reason}`, { skip: found.kind === 'missing' }, () => {
  test('writes, queries, chunks, bind parameters, batches, gzip, lists and errors', async () => {
    const { server, token } = shared();
    const { hostname, port } = new URL(server.url);
    const { stdout } = await run(PYTHON, [script(), hostname, port, token]);
    assert.equal(stdout, 'ok\n');
  });
});
