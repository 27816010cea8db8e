import assert from 'node:assert/strict';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Catalog, TriggerSpec } from '../../../../src/catalog/index.ts';
import {
  pluginFilesTable,
  pluginLogsTable,
  triggerArgumentsTable,
  triggersTable,
} from '../../../../src/query/system-tables/trigger-tables.ts';
import { temporaryDirectory } from '../../../support/write-store.ts';
import { openCatalog } from '../../catalog/catalog-fixture.ts';

const SPECS: readonly [name: string, spec: TriggerSpec, text: string][] = [
  ['all', { kind: 'all_tables' }, '"all_tables_wal_write"'],
  ['one', { kind: 'table', table: 'cpu' }, '{"single_table_wal_write":{"table_name":"cpu"}}'],
  ['cron', { kind: 'schedule', cron: '0 0 * * * *' }, '{"schedule":{"schedule":"0 0 * * * *"}}'],
  ['every', { kind: 'every', secs: 10, nanos: 0 }, '{"every":{"duration":{"secs":10,"nanos":0}}}'],
  ['hook', { kind: 'request', path: 'hook' }, '{"request_path":{"path":"hook"}}'],
];

async function catalogWith(t: { after(fn: () => Promise<void>): void }, plugins: Readonly<Record<string, string>> = {}): Promise<Catalog> {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await catalog.createDatabase('db');
  for (const [name, spec] of SPECS) {
    await catalog.createTrigger('db', {
      name,
      pluginFilename: plugins[name] ?? 'p.py',
      spec,
      runAsync: false,
      errorBehavior: name === 'cron' ? 'retry' : 'log',
      arguments: name === 'one' ? { zone: 'b', api_token: 's' } : null,
      disabled: name === 'hook',
    });
  }
  return catalog;
}

describe('tables of the processing engine', () => {
  test('each kind of trigger has its JSON text; rows are in the order of creation', async (t) => {
    const catalog = await catalogWith(t);
    const rows = await triggersTable(catalog).rows('db');
    assert.deepEqual(
      rows,
      SPECS.map(([name, , text]) => [name, 'p.py', text, name === 'hook', name === 'cron' ? 'retry' : 'log']),
    );
    assert.deepEqual(await triggersTable(catalog).rows('_internal'), []);
    await catalog.enableTrigger('db', 'hook');
    assert.equal((await triggersTable(catalog).rows('db'))[4]?.[3], false);
  });

  test('arguments are listed by key, as they were given', async (t) => {
    const table = triggerArgumentsTable(await catalogWith(t));
    assert.deepEqual(await table.rows('db'), [
      ['one', 'api_token', 's'],
      ['one', 'zone', 'b'],
    ]);
  });

  test('a database asks for its own events, _internal for all', async () => {
    const asked: (string | undefined)[] = [];
    const table = pluginLogsTable((database) => {
      asked.push(database);
      return [[1n, 'hook', 'INFO', 'hello']];
    });
    assert.deepEqual(await table.rows('db'), [[1n, 'hook', 'INFO', 'hello']]);
    await table.rows('_internal');
    assert.deepEqual(asked, ['db', undefined]);
  });

  test('plugin files are those of triggers; directories are walked without caches and links', async (t) => {
    const directory = await temporaryDirectory(t);
    await writeFile(join(directory, 'p.py'), 'print(1)');
    await writeFile(join(directory, 'unused.py'), '');
    for (const folder of ['multi/deep', 'multi/__pycache__']) await mkdir(join(directory, folder), { recursive: true });
    for (const file of ['b.py', 'a.py', 'deep/c.py', '__pycache__/x.py', 'notes.txt']) await writeFile(join(directory, 'multi', file), 'x');
    await symlink(join(directory, 'p.py'), join(directory, 'multi', 'link.py'));
    const plugins = { one: 'multi', cron: 'missing.py', every: 'gh:some/plugin', hook: '../outside.py' };
    const table = pluginFilesTable(await catalogWith(t, plugins), directory);
    const rows = await table.rows('_internal');
    assert.deepEqual(
      rows.map((row) => row.slice(0, 4)),
      [
        ['all', 'p.py', join(directory, 'p.py'), 8n],
        ['one', 'a.py', join(directory, 'multi/a.py'), 1n],
        ['one', 'b.py', join(directory, 'multi/b.py'), 1n],
        ['one', 'deep/c.py', join(directory, 'multi/deep/c.py'), 1n],
      ],
    );
    for (const row of rows) assert.ok((row[4] as bigint) > 1_600_000_000_000n);
    assert.deepEqual(await pluginFilesTable(await catalogWith(t), undefined).rows('_internal'), []);
  });
});
