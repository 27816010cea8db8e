import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { temporaryDirectory } from '../../storage/temp-directory.ts';
import { openWal } from './wal-fixture.ts';

const FIXTURE_MODULE = new URL('./wal-fixture.js', import.meta.url).href;

/** Writes numbers from eight writers at once and prints each when it is acknowledged. */
const WRITER = `
import { openWal, appendText } from ${JSON.stringify(FIXTURE_MODULE)};
const { wal, replayed } = await openWal(process.argv[1], { fileBytesMax: 4000, prepareFiles: true });
let next = replayed.length === 0 ? 0 : Math.max(...replayed.map((record) => Number(record.text))) + 1;
for (let writer = 0; writer < 8; writer++) {
  void (async () => {
    for (;;) {
      const text = String(next++);
      await appendText(wal, text);
      process.stdout.write(text + '\\n');
    }
  })();
}`;

/** Runs the writer until it has acknowledged this many, then kills it. Returns all that was acknowledged. */
async function writeUntilKilled(root: string, count: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (chunk: string) => {
    output += chunk;
    if (output.split('\n').length > count) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return output.split('\n').slice(0, -1);
}

test('kill -9 at any moment loses no acknowledged record and none comes twice', async (t) => {
  const root = await temporaryDirectory(t);
  const acknowledged: string[] = [];
  for (const count of [1, 37, 160]) acknowledged.push(...(await writeUntilKilled(root, count)));
  assert.ok(acknowledged.length >= 198);
  const found = (await openWal(root)).replayed.map((record) => record.text);
  assert.equal(new Set(found).size, found.length);
  const known = new Set(found);
  assert.deepEqual(
    acknowledged.filter((text) => !known.has(text)),
    [],
  );
});
