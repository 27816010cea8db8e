import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { startServer, type TestServer } from '../support/server.ts';
import { canMount, fill, reason, smallDisk } from '../support/small-disk.ts';
import { runProgram } from './cli-support.ts';

const ROWS = 2000;

function batch(number: number): string {
  return Array.from({ length: ROWS }, (_, i) => `m,host=h${i % 50} v=${number * ROWS + i}i,text="value ${i}" ${number * ROWS + i}`).join(
    '\n',
  );
}

/** Writes batches until one is refused. Returns how many were acknowledged and the refusal. */
async function writeUntilRefused(server: TestServer, from: number): Promise<{ next: number; refusal: string }> {
  for (let number = from; number < from + 500; number++) {
    const response = await server.write('db', batch(number), '&precision=ns');
    const text = await response.text();
    if (response.status !== 204) {
      assert.equal(response.status, 500);
      return { next: number, refusal: text };
    }
  }
  throw new Error('the disk never got full');
}

async function count(server: TestServer): Promise<number> {
  const [row] = await server.rows('db', 'SELECT count(v) AS n, count(DISTINCT v) AS d FROM m');
  assert.equal(row?.['n'], row?.['d']);
  return Number(row?.['n']);
}

test(`a really full disk refuses writes with its reason, loses nothing acknowledged and goes on when there is room${reason}`, {
  skip: !canMount,
}, async (t) => {
  const directory = smallDisk(t);
  const server = await startServer(t, directory, { args: ['--wal-snapshot-size', '3', '--wal-flush-interval', '20ms'] });
  await server.writeOk('db', batch(0), '&precision=ns');
  const ballast = fill(directory, 3 * 1024 * 1024);
  const { next, refusal } = await writeUntilRefused(server, 1);
  assert.match(refusal, /write buffer error: error from wal: ENOSPC: no space left on device/);
  const rows = await count(server);
  assert.ok(rows === next * ROWS || rows === (next + 1) * ROWS, `${rows} rows after ${next} acknowledged batches`);

  // A snapshot may have made a little room meanwhile.
  let written = next;
  const writeOne = () =>
    runProgram(['write', '-d', 'db', '-H', server.url, '--precision', 'ns'], { cwd: directory, input: batch(written) });
  let cli = await writeOne();
  for (; cli.code === 0; cli = await writeOne()) written++;
  assert.equal(cli.code, 1);
  assert.match(
    cli.stderr,
    /\n {2}hint: the disk of the server is full: free space there and write again; what was acknowledged is safe\n$/,
  );

  rmSync(ballast);
  const again = await server.write('db', batch(written), '&precision=ns');
  assert.equal(again.status, 204, await again.text());
  assert.equal(await count(server), (written + 1) * ROWS);
  await server.kill('SIGKILL');
  const restarted = await startServer(t, directory);
  assert.equal(await count(restarted), (written + 1) * ROWS);
});
