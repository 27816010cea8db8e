import assert from 'node:assert/strict';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startServer, testDirectory } from '../support/server.ts';

test('a log file that is missing in the middle is named in log, health and metrics, and stops the start when asked to', async (t) => {
  const directory = await testDirectory(t);
  const args = ['--wal-flush-interval', '1ms'];
  const server = await startServer(t, directory, { args });
  const wal = join(directory, 'test', 'wal');
  let written = 0;
  do await server.writeOk('db', `m v=1i ${written++}`);
  while ((await readdir(wal)).length < 5);
  await server.kill('SIGKILL');
  const used: string[] = [];
  for (const name of await readdir(wal)) if ((await stat(join(wal, name))).size < 4096) used.push(name);
  assert.ok(used.length >= 3, `several files: ${used}`);
  const gone = used.sort()[1] as string;
  await rm(join(wal, gone));
  const strict = startServer(t, directory, { args: [...args, '--wal-replay-fail-on-error'] });
  await assert.rejects(strict, (error: Error) => error.message.includes(`WAL file '${join(wal, gone)}' is damaged: file is missing`));
  const again = await startServer(t, directory, { args });
  await again.says('a part of the write-ahead log is lost');
  await again.says(gone);
  const health = await fetch(`${again.url}/health`);
  assert.equal(health.status, 200);
  assert.match(await health.text(), new RegExp(`^OK\\nrows lost: ${gone}: file is missing, file \\d+ knows it$`));
  assert.match(await (await fetch(`${again.url}/metrics`)).text(), /^influxdb3_wal_files_lost 1$/m);
  const rows = await again.rows('db', 'SELECT count(*) AS n FROM m');
  assert.ok(Number(rows[0]?.['n']) < written);
});

test('a server that stopped in order misses its last log file', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  await server.writeOk('db', 'm v=1i 1');
  await server.kill('SIGTERM');
  const wal = join(directory, 'test', 'wal');
  const names = (await readdir(wal)).sort();
  assert.equal(names.length, 2, 'the log and the mark behind it');
  await rm(join(wal, names[0] as string));
  const strict = startServer(t, directory, { args: ['--wal-replay-fail-on-error'] });
  await assert.rejects(strict, (error: Error) => error.message.includes(names[0] as string));
});

test('catalog changes that are missing at the end stop every start: rows of theirs must not go to other tables', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  await server.writeOk('db', 'm v=1i 1');
  await server.kill('SIGKILL');
  const logs = join(directory, 'test', 'catalog', 'v3', 'logs');
  for (const name of (await readdir(logs)).sort().slice(1)) await rm(join(logs, name));
  for (let i = 0; i < 2; i++) {
    await assert.rejects(startServer(t, directory), (error: Error) =>
      /has rows of table id 0 of database id 1 that the catalog does not know/.test(error.message),
    );
  }
});

test('a snapshot info that is missing is no loss as long as the file index has what it said', async (t) => {
  const directory = await testDirectory(t);
  const args = ['--wal-flush-interval', '5ms', '--wal-snapshot-size', '2', '--snapshotted-wal-files-to-keep', '0'];
  const server = await startServer(t, directory, { args });
  const infos = join(directory, 'test', 'snapshots');
  let written = 0;
  do await server.writeOk('db', `m v=1i ${written++}`);
  while ((await readdir(infos).catch(() => [])).length < 4);
  await server.kill('SIGTERM');
  const names = (await readdir(infos)).sort();
  for (const name of names.slice(1, 3)) await rm(join(infos, name)); // the newest comes first
  const again = await startServer(t, directory, { args: [...args, '--wal-replay-fail-on-error'] });
  assert.deepEqual(await again.rows('db', 'SELECT count(*) AS n FROM m'), [{ n: written }]);
  assert.equal(await (await fetch(`${again.url}/health`)).text(), 'OK');
  await again.kill('SIGKILL');
  await rm(join(directory, 'test', 'files', 'index'));
  const third = await startServer(t, directory, { args });
  assert.match(await (await fetch(`${third.url}/health`)).text(), /^OK\nfiles not served: \d+\.info\.json: file is missing/);
});
