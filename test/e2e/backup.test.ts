import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { bin, runProgram } from './cli-support.ts';

const STEP_NS = 60n * 1_000_000_000n;
const START_NS = 1_728_000_000_000_000_000n;
const ROWS = 3;

/** Snapshots and merges all the time. */
const BUSY = ['--wal-flush-interval', '5ms', '--wal-snapshot-size', '4', '--snapshotted-wal-files-to-keep', '0'];

/** Requests of a writer that goes on until it is stopped. */
class Writer {
  /** Requests that were answered, by number. */
  answered = 0;
  sent = 0;
  #stopped = false;
  readonly done: Promise<void>;

  constructor(server: TestServer) {
    this.done = this.#run(server);
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.done;
  }

  async #run(server: TestServer): Promise<void> {
    while (!this.#stopped) {
      const id = this.sent++;
      const lines = Array.from(
        { length: ROWS },
        (_, row) => `m,w=${id} v=${id}i,row=${row}i ${START_NS + BigInt(id * ROWS + row) * STEP_NS}`,
      );
      const response = await server.write('db', lines.join('\n')).catch(() => undefined);
      if (response === undefined) return; // the server was killed
      assert.equal(response.status, 204, await response.text());
      this.answered = id + 1;
    }
  }
}

/** Numbers of the requests that a server has all rows of; none may be there in part. */
async function requestsOf(server: TestServer): Promise<number[]> {
  const rows = await server.rows('db', 'SELECT w, count(v) AS n, min(v) AS low, max(v) AS high FROM m GROUP BY w');
  for (const { high, low, n, w } of rows) assert.deepEqual([n, low, high], [ROWS, Number(w), Number(w)], `request ${w}`);
  return rows.map(({ w }) => Number(w)).sort((a, b) => a - b);
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, id) => id);

describe('backup and restore', () => {
  it('a backup under writes, loss of everything, and a restore to another node: each acknowledged row, each request whole', async (t) => {
    const dataDir = await testDirectory(t);
    const cwd = await testDirectory(t);
    const server = await startServer(t, dataDir, { args: BUSY });
    const backup = (...args: string[]) => runProgram(['backup', 'kept', '-q', '-H', server.url, ...args], { cwd });
    await server.writeOk('other', 'x v=1 1\nx v=2 2\n');
    await server.writeOk('spare', 'x v=3 1\n');
    const writer = new Writer(server);
    await until(() => writer.answered >= 40);

    const first = await backup();
    assert.equal(first.code, 0, first.stderr);
    const [firstName = ''] = readdirSync(join(cwd, 'kept', 'backups'));
    await until(() => writer.answered >= 80);
    const before = writer.answered;
    const second = await backup();
    const after = writer.sent;
    assert.match(second.stdout, /^Backup \S+ of node test complete: \d+ files, \S+; copied \d+ files, \S+\n$/, second.stderr);
    const [, files, copied] = /: (\d+) files, .* copied (\d+) files/.exec(second.stdout) ?? [];
    assert.ok(Number(copied) < Number(files), second.stdout);

    // A backup that is killed, and one whose server is killed, leave the complete ones as they were.
    const killed = spawn(process.execPath, [bin, 'backup', 'kept', '-H', server.url], { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
    killed.stderr.once('data', () => killed.kill('SIGKILL'));
    await new Promise((resolve) => killed.once('close', resolve));
    const lost = backup();
    await server.kill('SIGKILL');
    await writer.stop();
    const { code, stderr } = await lost;
    if (code !== 0) assert.match(stderr, /^Backup command failed: /);
    const listed = await runProgram(['backup', 'kept', '--list'], { cwd });
    assert.match(listed.stdout, /^\S+ {2}node test {2}\d+ files .* databases (?=.*\bdb\b)(?=.*\bother\b)(?=.*\bspare\b)/m);
    rmSync(join(dataDir, 'test'), { recursive: true });

    const secondName = /^Backup (\S+) /.exec(second.stdout)?.[1] ?? '';
    const restored = await runProgram(['restore', 'kept', '-q', '--backup', secondName, '--data-dir', dataDir, '--node-id', 'new home'], {
      cwd,
    });
    assert.match(
      restored.stdout,
      /^Restored 3 databases of backup \S+ of node test to .*new home\nStart it with: influxdb3 serve /,
      restored.stderr,
    );
    const again = await startServer(t, dataDir, { nodeId: 'new home', args: BUSY });
    const found = await requestsOf(again);
    assert.deepEqual(found.slice(0, before), numbers(before));
    assert.ok(
      found.every((id) => id < after),
      `request ${found.at(-1)} was sent after the backup, which ended before ${after}`,
    );
    assert.deepEqual(await again.rows('other', 'SELECT sum(v) AS s FROM x'), [{ s: 3 }]);
    assert.ok(!again.output.includes('is new and empty'), again.output);
    await again.writeOk('db', 'm,w=1000000 v=1i 1');
    await again.kill('SIGKILL');
    assert.equal(
      (await startServer(t, dataDir, { nodeId: 'new home' }).then((third) => third.rows('db', "SELECT v FROM m WHERE w = '1000000'")))
        .length,
      1,
    );

    const older = await runProgram(
      ['restore', 'kept', '-q', '--backup', firstName.replace('.json', ''), '--data-dir', 'one', '--node-id', 'n', '-d', 'other'],
      { cwd },
    );
    assert.match(older.stdout, /^Restored other of backup /, older.stderr);
    const one = await startServer(t, join(cwd, 'one'), { nodeId: 'n' });
    assert.deepEqual(await one.rows('other', 'SELECT sum(v) AS s FROM x'), [{ s: 3 }]);
    assert.equal((await one.sql('db', 'SELECT * FROM m')).status, 404);
    await one.writeOk('db', 'fresh v=1i 1');
    assert.deepEqual(await one.rows('db', 'SELECT v FROM fresh'), [{ v: 1 }]);
  });

  it('checks what it has, refuses what is damaged, in the way or not there, and keeps as many as it is told', async (t) => {
    const dataDir = await testDirectory(t);
    const cwd = await testDirectory(t);
    const server = await startServer(t, dataDir);
    await server.writeOk('db', 'm v=1 1\n');
    const run = (...args: string[]) => runProgram([...args], { cwd, env: { INFLUXDB3_HOST_URL: server.url } });
    for (let i = 0; i < 3; i += 1) assert.equal((await run('backup', 'kept', '-q', '--keep', '2')).code, 0);
    assert.equal((await run('backup', 'kept', '--list')).stdout.trimEnd().split('\n').length, 2);
    assert.match((await run('backup', 'kept', '--check', '-q')).stdout, /^2 backups are whole: \d+ different files, /);

    const cases: [readonly string[], RegExp][] = [
      [
        ['backup', 'ftp://host/x'],
        /^Backup command failed: backups cannot be kept in 'ftp:\/\/host\/x'\n {2}hint: give a directory, or s3:/,
      ],
      [['restore', 'nowhere', '--data-dir', 'd', '--node-id', 'n'], /^Restore command failed: .*nowhere holds no backups\n/],
      [
        ['restore', 'kept', '--data-dir', dataDir, '--node-id', 'test'],
        /^Restore command failed: node test has data already in .*\n {2}hint: /,
      ],
      [['restore', 'kept', '--data-dir', 'd', '--node-id', 'n', '-d', 'none'], /has no database none\n {2}hint: it has db\n/],
      [['restore', 'kept', '--data-dir', 'd', '--node-id', 'n', '--backup', 'x'], /has no backup x\n {2}hint: it has /],
    ];
    for (const [args, text] of cases) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 1, stderr);
      assert.match(stderr, text);
    }

    const contents = readdirSync(join(cwd, 'kept', 'contents'), { recursive: true }).map((name) =>
      join(cwd, 'kept', 'contents', String(name)),
    );
    const log = contents.find((path) => statSync(path).isFile() && readFileSync(path).subarray(0, 8).toString() === 'i3ts-wa2') ?? '';
    const bytes = readFileSync(log);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(log, bytes);
    const check = await run('backup', 'kept', '--check', '-q');
    assert.match(check.stdout, /^wal\/\d+\.wal of the backup is damaged: \S+; needed by \S+, \S+\n$/);
    assert.match(check.stderr, /^Backup command failed: 1 of \d+ different files, \S+ are damaged or missing\n {2}hint: /);
    const { code, stderr } = await run('restore', 'kept', '-q', '--data-dir', 'd', '--node-id', 'n');
    assert.equal(code, 1);
    assert.match(stderr, /^Restore command failed: wal\/\d+\.wal of the backup is damaged: /);
    assert.deepEqual(existsSync(join(cwd, 'd')) ? readdirSync(join(cwd, 'd')) : [], []);
  });

  it('the endpoints hold a moment until it is released, four at most, and name what is wrong', async (t) => {
    const server = await startServer(t, await testDirectory(t));
    await server.writeOk('db', 'm v=1 1\n');
    const begin = () => fetch(`${server.url}/api/v3/backup`, { method: 'POST' });
    const moments = await Promise.all(
      numbers(4).map(async () => (await (await begin()).json()) as { id: string; files: { path: string; sizeBytes: number }[] }),
    );
    const [moment] = moments;
    assert.ok(moment !== undefined);
    const refused = await begin();
    assert.deepEqual(
      [refused.status, await refused.text()],
      [429, '{"error":"4 backups are being taken already: wait until one has ended"}'],
    );
    for (const { path, sizeBytes } of moment.files) {
      const file = await fetch(`${server.url}/api/v3/backup/${moment.id}?path=${encodeURIComponent(path)}`);
      assert.equal((await file.arrayBuffer()).byteLength, sizeBytes, path);
    }
    const outside = await fetch(`${server.url}/api/v3/backup/${moment.id}?path=../../etc/passwd`);
    assert.deepEqual([outside.status, await outside.text()], [404, '{"error":"the backup has no file ../../etc/passwd"}']);
    const release = () => fetch(`${server.url}/api/v3/backup/${moment.id}`, { method: 'DELETE' });
    assert.equal((await release()).status, 204);
    assert.equal((await release()).status, 404);
    assert.equal((await begin()).status, 201);
    assert.equal(await server.kill('SIGTERM'), 0);
  });
});
