import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { configure, runCases } from './admin-support.ts';
import { runProgram } from './cli-support.ts';

const EXISTS = 'attempted to create a resource that already exists';

async function deletedDatabase(server: TestServer, name: string): Promise<string> {
  const { text } = await configure(server, 'GET', 'database?format=json&show_deleted=true');
  const rows = JSON.parse(text) as { 'iox::database': string; deleted: boolean }[];
  const found = rows.find((row) => row.deleted && row['iox::database'].startsWith(`${name}-`));
  assert.ok(found, text);
  return found['iox::database'];
}

test('a deleted database comes back with the tables that went with it, in files and in the buffer, also after kill -9', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory);
  await server.writeOk('db', 'a,k=x v=1i 1\nb v=2i 2\ngone v=3i 3');
  assert.equal((await configure(server, 'DELETE', 'table?db=db&table=gone')).status, 200);
  await configure(server, 'DELETE', 'database?db=db');
  const name = await deletedDatabase(server, 'db');
  await server.writeOk('db', 'new v=9i 9');
  await runCases(server, [
    ['POST', 'database/undelete', { db: 'no' }, 404, 'the requested resource was not found: no'],
    ['POST', 'database/undelete', { db: 'db' }, 409, "'db' cannot be undeleted: it is not deleted"],
    ['POST', 'database/undelete', { db: name }, 409, EXISTS],
    ['POST', 'database/undelete', { db: name, new_name: '/' }, 400, /"error":"/],
    ['POST', 'database/undelete', { db: name, new_name: 'old' }, 200, ''],
  ]);
  assert.deepEqual(await server.rows('old', 'SELECT k, v FROM a'), [{ k: 'x', v: 1 }]);
  await server.writeOk('old', 'a,k=y v=5i 5');
  await server.kill('SIGKILL');
  const again = await startServer(t, directory);
  assert.deepEqual(await again.rows('old', 'SELECT k, v FROM a ORDER BY k'), [
    { k: 'x', v: 1 },
    { k: 'y', v: 5 },
  ]);
  assert.deepEqual(await again.rows('old', 'SELECT v FROM b'), [{ v: 2 }]);
  assert.equal((await again.sql('old', 'SELECT v FROM gone')).status, 400, 'deleted before the database was');
  assert.deepEqual(await again.rows('db', 'SELECT v FROM new'), [{ v: 9 }]);
});

test('a deleted table comes back unless its data is going or its name is taken', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm v=1i 1\nn v=1i 1');
  await configure(server, 'DELETE', 'table?db=db&table=m');
  const [listed] = await server.rows('_internal', "SELECT table_name FROM system.tables WHERE deleted AND database_name = 'db'");
  const name = String(listed?.['table_name']);
  await server.writeOk('db', 'm v=2i 2');
  await runCases(server, [
    ['POST', 'table/undelete', { db: 'db', table: name }, 409, EXISTS],
    ['POST', 'table/undelete', { db: 'db', table: 'n' }, 409, "'n' cannot be undeleted: it is not deleted"],
    ['POST', 'table/undelete', { db: 'db', table: 'x' }, 404, /./],
    ['POST', 'table/undelete', { db: 'db', table: name, new_name: 'before' }, 200, ''],
  ]);
  assert.deepEqual(await server.rows('db', 'SELECT v FROM before'), [{ v: 1 }]);
  assert.deepEqual(await server.rows('db', 'SELECT v FROM m'), [{ v: 2 }]);
});

test('a table that was queried before its delete is found under each of its names, and a new one under the old', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm v=1i 1');
  assert.deepEqual(await server.rows('db', 'SELECT v FROM m'), [{ v: 1 }]);
  await configure(server, 'DELETE', 'table?db=db&table=m');
  const [listed] = await server.rows('_internal', "SELECT table_name FROM system.tables WHERE deleted AND database_name = 'db'");
  const name = String(listed?.['table_name']);
  assert.equal((await server.sql('db', 'SELECT v FROM m')).status, 400);
  for (const line of [`${name} v=3i 3`, `${name} w=3i 3`]) {
    const refused = await server.write('db', line);
    assert.equal(refused.status, 400);
    assert.match(await refused.text(), /cannot write to soft-deleted table '/);
  }
  const deleted = await server.sql('db', `SELECT v FROM "${name}"`);
  assert.deepEqual([deleted.status, await deleted.text()], [200, '[{"v":1}]']);
  await server.writeOk('db', 'm v=2i 2');
  assert.deepEqual(await server.rows('db', 'SELECT v FROM m'), [{ v: 2 }]);
  assert.deepEqual(await server.rows('db', `SELECT v FROM "${name}"`), [{ v: 1 }]);
  await runCases(server, [['POST', 'table/undelete', { db: 'db', table: name, new_name: 'again' }, 200, '']]);
  assert.deepEqual(await server.rows('db', 'SELECT v FROM again'), [{ v: 1 }]);
  assert.deepEqual(await server.rows('db', 'SELECT m.v AS m, again.v AS again FROM m CROSS JOIN again'), [{ m: 2, again: 1 }]);
});

test('`influxdb3 undelete` gives the name before the delete back', async (t) => {
  const cwd = await testDirectory(t);
  const server = await startServer(t, await testDirectory(t));
  await server.writeOk('db', 'm v=1i 1');
  await configure(server, 'DELETE', 'table?db=db&table=m');
  const [listed] = await server.rows('_internal', "SELECT table_name FROM system.tables WHERE deleted AND database_name = 'db'");
  const name = String(listed?.['table_name']);
  const table = await runProgram(['undelete', 'table', '-H', server.url, '-d', 'db', name], { cwd });
  assert.deepEqual([table.code, table.stdout], [0, `Table "${name}" undeleted successfully\n`], table.stderr);
  await configure(server, 'DELETE', 'database?db=db');
  const database = await runProgram(['undelete', 'database', '-H', server.url, await deletedDatabase(server, 'db')], { cwd });
  assert.equal(database.code, 0, database.stderr);
  assert.deepEqual(await server.rows('db', 'SELECT v FROM m'), [{ v: 1 }]);
  const twice = await runProgram(['undelete', 'database', '-H', server.url, 'db'], { cwd });
  assert.equal(twice.code, 1);
  assert.match(
    twice.stderr,
    /^Undelete command failed: server responded with error \[409 Conflict\]: 'db' cannot be undeleted: it is not deleted/,
  );
});
