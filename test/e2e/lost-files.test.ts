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
  assert.ok(again.output.includes('a part of the write-ahead log is lost'), again.output);
  assert.ok(again.output.includes(gone));
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
