import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';

const NS = '&precision=nanosecond';

const COUNTER = `
export function processWrites(api, batches, args) {
  for (const { tableName, rows } of batches) {
    api.info(tableName, rows.length, JSON.stringify(rows[0], (_, v) => typeof v === 'bigint' ? v + 'n' : v), args?.note ?? '-');
    if (tableName === 'report') continue;
    api.write(new LineBuilder('report').tag('table', tableName).intField('rows', rows.length));
  }
}
`;

test('a trigger on writes gets the rows of a line, logs, and writes back', async (t) => {
  const plugins = await PluginServer.start(t, { 'count.js': COUNTER });
  await plugins.server.writeOk('db', 'cpu,host=A,region=west usage=1i,system=23.2 100', NS);
  await plugins.created({ plugin: 'count.js', spec: 'all_tables', args: { note: 'hi' } });
  await plugins.server.writeOk('db', 'cpu,host=B,region=west usage=2i,system=3 200\ncpu,host=C usage=9223372036854775807i 300', NS);
  await plugins.logged('INFO cpu 2 {"host":"B","region":"west","usage":2,"system":3,"time":"200n"} hi');
  assert.deepEqual(await plugins.rowsOf('db', 'SELECT "table", rows FROM report'), [{ table: 'cpu', rows: 2 }]);
  const rows = await plugins.logs();
  assert.equal(rows[0], 'INFO starting execution of wal plugin.');
  assert.match(rows.find((row) => row.includes('finished')) ?? '', /^INFO finished execution in (\d+(s|ms|us|ns) ?)+$/);
  assert.deepEqual(await plugins.logs('_internal'), await plugins.logs());
});

test('a trigger of one table gets only its rows, and comes back after a kill without those of the log', async (t) => {
  const plugins = await PluginServer.start(t, { 'count.mjs': COUNTER });
  await plugins.server.writeOk('db', 'seen v=1', NS);
  await plugins.created({ plugin: 'count.mjs', spec: 'table:cpu' });
  await plugins.server.writeOk('db', 'mem v=1 1', NS);
  await plugins.server.writeOk('db', 'cpu v=1 1\nmem v=2 2', NS);
  await plugins.logged(/INFO cpu 1 \{"v":1,"time":"1n"\}/);
  await plugins.server.kill('SIGKILL');
  const again = await PluginServer.start(t, {}, { dataDir: plugins.dataDir });
  await again.server.writeOk('db', 'cpu v=2 2', NS);
  await again.logged(/INFO cpu 1 \{"v":2,"time":"2n"\}/);
  const rows = (await again.logs()).filter((row) => /INFO (cpu|mem) /.test(row));
  assert.deepEqual(rows, ['INFO cpu 1 {"v":2,"time":"2n"} -']);
});
