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

test('rows of many writers at once arrive exactly once, with their own values', async (t) => {
  const sums = `
export function processWrites(api, batches) {
  for (const { rows } of batches) for (const { host, a, b } of rows) api.info('row', host, a, b ?? '-');
}
`;
  const plugins = await PluginServer.start(t, { 'rows.js': sums });
  await plugins.server.writeOk('db', 'begin v=1');
  await plugins.created({ plugin: 'rows.js', spec: 'table:m' });
  const expected: string[] = [];
  const writer = async (id: number): Promise<void> => {
    for (let at = 0; at < 25; at++) {
      const host = `h${id}_${at % 7}`;
      const second = at % 2 === 0 ? '' : `,b="${id}-${at}"`;
      expected.push(`INFO row ${host} ${id * 1000 + at} ${second === '' ? '-' : `${id}-${at}`}`);
      await plugins.server.writeOk('db', `m,host=${host} a=${id * 1000 + at}i${second} ${id * 1000 + at}`, NS);
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, id) => writer(id)));
  await plugins.rowsOf('db', "SELECT 1 FROM system.processing_engine_logs WHERE log_text LIKE 'row %'", expected.length);
  const rows = (await plugins.logs()).filter((row) => row.startsWith('INFO row '));
  assert.deepEqual(rows.sort(), expected.sort());
  const ofOne = (await plugins.logs()).filter((row) => row.startsWith('INFO row h3_')).map((row) => Number(row.split(' ')[3]));
  assert.deepEqual(
    ofOne,
    ofOne.toSorted((x, y) => x - y),
    'in the order of the log',
  );
});

test('plugins in TypeScript run on every Node.js, with files beside them and after changes, and say what is more than types', async (t) => {
  const plugins = await PluginServer.start(t, {
    'typed/index.ts': `
import type { ProcessRequest } from 'influxdb3-serve/plugin';
import { double, type Pair } from './lib/double.mts';
interface Answer { readonly doubled: Pair; }
export const processRequest: ProcessRequest = async (_api, { query }, args): Promise<Answer> => {
  const value = Number(query['n'] as string);
  return { doubled: [value, double<number>(value)] satisfies Pair };
};
`,
    'typed/lib/double.mts':
      'export type Pair = readonly [number, number];\nexport function double<T extends number>(n: T): number { return n! * 2; }\n',
    'enums.ts': 'export function processRequest(): string { return "x"; }\nenum Mode { On }\n',
  });
  await plugins.server.writeOk('db', 'cpu v=1');
  await plugins.created({ name: 'typed', plugin: 'typed', spec: 'request:typed' });
  await plugins.created({ name: 'enums', plugin: 'enums.ts', spec: 'request:enums' });
  const ask = async (path: string): Promise<[number, string]> => {
    const response = await fetch(`${plugins.server.url}/api/v3/engine/${path}`);
    return [response.status, await response.text()];
  };
  assert.deepEqual(await ask('typed?n=21'), [200, '{"doubled":[21,42]}']);
  await plugins.write(
    'typed/lib/double.mts',
    'export type Pair = [number, number];\nexport const double = <T,>(n: T): number => Number(n) * 3;\n',
  );
  assert.deepEqual(await ask('typed?n=21'), [200, '{"doubled":[21,63]}']);
  const [status, text] = await ask('enums');
  assert.equal(status, 500);
  assert.match(text, /SyntaxError.*TypeScript enum is not supported in strip-only mode/);
});
