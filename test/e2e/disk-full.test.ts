import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startServer, type TestServer } from '../support/server.ts';
import { runProgram } from './cli-support.ts';

const DISK_BYTES = 64 * 1024 * 1024;
const ROWS = 2000;

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mountAndUnmount();
const reason = canMount ? '' : ' (skipped: needs the right to mount a tmpfs)';

/** A small disk of its own, gone at the end of the test. */
function smallDisk(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-e2e-'));
  mount(directory);
  t.after(() => {
    spawnSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

function mount(directory: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', directory]).status === 0;
}

function mountAndUnmount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-e2e-'));
  const done = mount(directory) && spawnSync('umount', [directory]).status === 0;
  rmSync(directory, { recursive: true, force: true });
  return done;
}

/** Takes all space of the disk but `leave` bytes. Returns the file that takes it. */
function fill(directory: string, leave: number): string {
  const { bavail, bsize } = statfsSync(directory);
  const ballast = join(directory, 'ballast');
  writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leave), 1));
  return ballast;
}

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
