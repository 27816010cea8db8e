import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { NewTrigger, ResourceTokenRecord } from '../../../src/catalog/index.ts';
import { CatalogState } from '../../../src/catalog/state.ts';
import { parsePermission } from '../../../src/shared/token-permissions.ts';
import { temporaryDirectory } from '../storage/temp-directory.ts';
import { addColumns, FixedClock, NOW_MS, openCatalog } from './catalog-fixture.ts';

const NOW_NS = BigInt(NOW_MS) * 1_000_000n;
const EXISTS = { message: 'attempted to create a resource that already exists', status: 409 };
const TRIGGER: NewTrigger = {
  name: 'hook',
  pluginFilename: 'p.py',
  spec: { kind: 'request', path: 'hook' },
  runAsync: false,
  errorBehavior: 'log',
  arguments: null,
  disabled: false,
};

test('the first start creates _internal with id 0 and seven days retention', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  const internal = catalog.database('_internal');
  assert.equal(internal?.id, 0);
  assert.equal(internal.retentionPeriodNs, 604_800_000_000_000n);
  await assert.rejects(catalog.softDeleteDatabase('_internal', { kind: 'now' }), { message: 'cannot delete internal db', status: 500 });
  await assert.rejects(catalog.setRetention('_internal', 1n), { message: 'cannot modify internal db', status: 500 });
  await assert.rejects(catalog.softDeleteTable('_internal', 'x', { kind: 'now' }), { message: 'cannot modify internal db', status: 500 });
  await assert.rejects(catalog.dropDatabase(0), { message: 'cannot delete internal db' });
});

test('databases are created once; an existing one is 409 even at the limit', async (t) => {
  const limits = { maxDatabases: 1, maxTables: 1, maxColumnsPerTable: 1 };
  const catalog = await openCatalog(await temporaryDirectory(t), { limits });
  const database = await catalog.createDatabase('db', { retentionNs: 5n });
  assert.equal(database.retentionPeriodNs, 5n);
  await assert.rejects(catalog.createDatabase('db'), EXISTS);
  await assert.rejects(catalog.createDatabase('db2'), {
    message: 'Adding a new database would exceed limit of 1 databases',
    status: 422,
    shape: 'json',
  });
  await assert.rejects(catalog.createDatabase('?'), { message: 'db name did not start with a number or letter', shape: 'json' });
});

test('a table is created with its database, or nothing is', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  const table = await catalog.createTable('db', 't', { tags: ['a', 'b', 'a'], fields: [{ name: 'f', type: 'uinteger' }] });
  assert.deepEqual(
    table.columns.map((column) => [column.name, column.type]),
    [
      ['a', 'tag'],
      ['b', 'tag'],
      ['f', 'uinteger'],
      ['time', 'time'],
    ],
  );
  await assert.rejects(catalog.createTable('db', 't', { tags: [], fields: [] }), EXISTS);
  const empty = await catalog.createTable('db', '', { tags: [], fields: [] });
  assert.deepEqual([empty.id, empty.columns.length], [1, 1]);
  const reserved = { message: "'time' is a reserved column", status: 400, shape: 'text' };
  await assert.rejects(catalog.createTable('new', 't', { tags: ['time'], fields: [] }), reserved);
  await assert.rejects(catalog.createTable('new', 't', { tags: ['a'], fields: [{ name: 'a', type: 'float' }] }), {
    message: "invalid column type for column 'a', expected iox::column_type::tag, got iox::column_type::field::float",
  });
  assert.equal(catalog.database('new'), undefined);
});

test('retention of databases and tables is set and cleared', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'm', [['f', 'float']]);
  await catalog.setRetention('db', 7n);
  await catalog.setTableRetention('db', 'm', 8n);
  assert.equal(catalog.database('db')?.retentionPeriodNs, 7n);
  assert.equal(catalog.database('db')?.tables.get('m')?.retentionPeriodNs, 8n);
  await catalog.setRetention('db', undefined);
  assert.equal(catalog.database('db')?.retentionPeriodNs, undefined);
  await assert.rejects(catalog.setRetention('no', 1n), { message: 'the requested resource was not found: no', status: 404 });
  const { name } = await catalog.softDeleteDatabase('db', { kind: 'never' });
  await assert.rejects(catalog.setRetention(name, 1n), {
    message: `attempted to modify resource that was already deleted: ${name}`,
    status: 409,
  });
});

test('a soft delete renames in place, frees the name and keeps the order of creation', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'foo', 'm', [['f', 'float']]);
  await addColumns(catalog, 'bar', 'm', [['f', 'float']]);
  await catalog.createTrigger('foo', TRIGGER);
  await catalog.createLastCache('foo', 'm', { name: undefined, keyColumns: undefined, valueColumns: undefined, count: 1, ttlSecs: 1 });
  const before = catalog.database('foo');
  const deleted = await catalog.softDeleteDatabase('foo', { kind: 'default' });
  assert.equal(deleted, before, 'the object keeps its identity');
  assert.equal(deleted.name, 'foo-20260617T102030');
  assert.equal(deleted.hardDeleteTimeNs, NOW_NS + 72n * 3_600_000_000_000n);
  const table = [...deleted.tables.values()][0];
  assert.equal(table?.name, 'm-20260617T102030');
  assert.equal(table.deleted, true);
  assert.equal(table.hardDeleteTimeNs, deleted.hardDeleteTimeNs);
  assert.deepEqual([...catalog.lastCaches(table)], []);
  assert.deepEqual(
    [...catalog.triggers(deleted)].map((trigger) => trigger.disabled),
    [true],
  );
  await addColumns(catalog, 'foo', 'm', [['f', 'integer']]);
  assert.deepEqual(
    [...catalog.databases()].map((database) => database.name),
    ['_internal', 'foo-20260617T102030', 'bar', 'foo'],
  );
  const again = await catalog.softDeleteDatabase('foo', { kind: 'never' });
  assert.equal(again.name, 'foo-20260617T102030-3', 'the stamped name was taken');
  assert.equal(again.hardDeleteTimeNs, undefined);
});

test('deleting again is 409 unless the time differs; a table always 409', async (t) => {
  const clock = new FixedClock();
  const catalog = await openCatalog(await temporaryDirectory(t), { clock });
  await addColumns(catalog, 'db', 'm', [['f', 'float']]);
  const table = await catalog.softDeleteTable('db', 'm', { kind: 'at', timeNs: 1n });
  assert.equal(table.hardDeleteTimeNs, NOW_NS, 'the past means now');
  const again = { message: `attempted to modify resource that was already deleted: ${table.name}`, status: 409 };
  await assert.rejects(catalog.softDeleteTable('db', table.name, { kind: 'never' }), again);
  const at = NOW_NS + 1_000_000_000n;
  const { name } = await catalog.softDeleteDatabase('db', { kind: 'at', timeNs: at });
  const repeated = { message: `attempted to modify resource that was already deleted: ${name}`, status: 409 };
  await assert.rejects(catalog.softDeleteDatabase(name, { kind: 'at', timeNs: at }), repeated);
  await assert.rejects(catalog.softDeleteDatabase(name, { kind: 'default' }), repeated);
  assert.equal((await catalog.softDeleteDatabase(name, { kind: 'never' })).hardDeleteTimeNs, undefined);
  assert.equal((await catalog.softDeleteDatabase(name, { kind: 'now' })).hardDeleteTimeNs, NOW_NS);
  await assert.rejects(catalog.softDeleteDatabase('db', { kind: 'now' }), {
    message: 'the requested resource was not found: db',
    status: 404,
  });
  await assert.rejects(catalog.softDeleteTable('no', 'm', { kind: 'now' }), { message: 'Database not found no', status: 404 });
  await assert.rejects(catalog.softDeleteTable(name, 'm', { kind: 'now' }), {
    message: `Table m not in DB schema for ${name}`,
    status: 404,
  });
});

test('ids are never used again, also after a drop', async (t) => {
  const root = await temporaryDirectory(t);
  const catalog = await openCatalog(root);
  const database = await catalog.createDatabase('a');
  const table = await catalog.createTable('a', 't', { tags: [], fields: [] });
  await catalog.softDeleteTable('a', 't', { kind: 'now' });
  await catalog.dropTable(database.id, table.id);
  await catalog.dropTable(database.id, table.id);
  assert.equal((await catalog.createTable('a', 't', { tags: [], fields: [] })).id, 1);
  await catalog.softDeleteDatabase('a', { kind: 'now' });
  await catalog.dropDatabase(database.id);
  assert.deepEqual([...catalog.databases()].length, 1);
  await catalog.close();
  const reopened = await openCatalog(root);
  assert.equal((await reopened.createDatabase('a')).id, 2);
});

test('last caches take defaults and check their columns', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'cpu', [
    ['region', 'tag'],
    ['host', 'tag'],
    ['usage', 'float'],
    ['note', 'string'],
  ]);
  const request = { name: undefined, keyColumns: undefined, valueColumns: undefined, count: 1, ttlSecs: 14_400 };
  const cache = await catalog.createLastCache('db', 'cpu', request);
  assert.deepEqual(cache, {
    id: 0,
    name: 'cpu_region_host_last_cache',
    keyColumnIds: [0, 1],
    valueColumnIds: undefined,
    count: 1,
    ttlSecs: 14_400,
  });
  await assert.rejects(catalog.createLastCache('db', 'cpu', { ...request, count: 2 }), EXISTS);
  const explicit = await catalog.createLastCache('db', 'cpu', { ...request, name: 'x', keyColumns: ['note'], valueColumns: ['usage'] });
  assert.deepEqual([explicit.id, explicit.keyColumnIds, explicit.valueColumnIds], [1, [3], [2, 4]]);
  const refused = async (change: object, message: string) => {
    await assert.rejects(catalog.createLastCache('db', 'cpu', { ...request, name: 'y', ...change }), { message, status: 400 });
  };
  await refused({ keyColumns: ['no'] }, 'invalid configuration provided: invalid key column provided: no');
  await refused({ valueColumns: ['no'] }, 'invalid configuration provided: invalid value column provided: no');
  await refused({ keyColumns: ['usage'] }, 'only uint64, int64, bool, tag, and string columns are supported in the last cache');
  await refused({ count: 0 }, 'last cache size must be greater than 0');
  await assert.rejects(catalog.createLastCache('no', 'cpu', request), { message: 'Database not found no', status: 404 });
  await assert.rejects(catalog.createLastCache('db', 'no', request), { message: 'Table no not in DB schema for db', status: 404 });
  await catalog.deleteLastCache('db', 'cpu', 'x');
  await assert.rejects(catalog.deleteLastCache('db', 'cpu', 'x'), { message: 'the requested resource was not found: x', status: 404 });
});

test('distinct caches take defaults and check their columns', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'cpu', [
    ['region', 'tag'],
    ['usage', 'float'],
    ['note', 'string'],
  ]);
  const request = { name: undefined, columns: ['region', 'note'], maxCardinality: 100_000, maxAgeSecs: 86_400 };
  const cache = await catalog.createDistinctCache('db', 'cpu', request);
  assert.deepEqual(cache, {
    id: 0,
    name: 'cpu_region_note_distinct_cache',
    columnIds: [0, 2],
    maxCardinality: 100_000,
    maxAgeSecs: 86_400,
  });
  const refused = async (change: object, message: string) => {
    await assert.rejects(catalog.createDistinctCache('db', 'cpu', { ...request, ...change }), { message, status: 400 });
  };
  await refused({ columns: [] }, 'invalid configuration provided: no columns provided when creating distinct cache');
  await refused({ columns: ['no'] }, 'invalid configuration provided: invalid column provided: no');
  await refused({ columns: ['usage'] }, 'only tag and string columns are supported in the distinct cache');
  await refused({ maxCardinality: 0 }, 'expected a nonzero usize');
  await assert.rejects(catalog.createDistinctCache('db', 'cpu', request), EXISTS);
  await catalog.deleteDistinctCache('db', 'cpu', cache.name);
  await assert.rejects(catalog.deleteDistinctCache('db', 'cpu', cache.name), { status: 404 });
  assert.equal((await catalog.createDistinctCache('db', 'cpu', request)).id, 1);
});

test('triggers are created, switched, deleted and counted by kind', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await catalog.createDatabase('db');
  assert.equal((await catalog.createTrigger('db', TRIGGER)).id, 0);
  await assert.rejects(catalog.createTrigger('db', TRIGGER), EXISTS);
  await assert.rejects(catalog.createTrigger('no', TRIGGER), { message: 'Database not found no', status: 404 });
  await catalog.createTrigger('db', { ...TRIGGER, name: 'w', spec: { kind: 'table', table: 'cpu' }, disabled: true });
  await catalog.createTrigger('db', { ...TRIGGER, name: 'all', spec: { kind: 'all_tables' } });
  await catalog.createTrigger('db', { ...TRIGGER, name: 'c', spec: { kind: 'schedule', cron: '* * * * * *' } });
  await catalog.createTrigger('db', { ...TRIGGER, name: 'e', spec: { kind: 'every', secs: 1, nanos: 0 } });
  assert.deepEqual(catalog.triggerCounts(), { walSingle: 1, walAll: 1, schedule: 2, request: 1 });
  const { sequence } = catalog;
  await catalog.enableTrigger('db', 'hook');
  assert.equal(catalog.sequence, sequence, 'already enabled is no change');
  await assert.rejects(catalog.deleteTrigger('db', 'hook', { force: false }), {
    message: 'Cannot delete running plugin hook. Disable it first or use --force.',
    status: 500,
  });
  assert.equal((await catalog.disableTrigger('db', 'hook')).disabled, true);
  await catalog.deleteTrigger('db', 'hook', { force: false });
  await catalog.deleteTrigger('db', 'all', { force: true });
  await assert.rejects(catalog.enableTrigger('db', 'hook'), { message: 'the requested resource was not found: hook', status: 404 });
  await catalog.softDeleteDatabase('db', { kind: 'default' });
  assert.deepEqual(catalog.triggerCounts(), { walSingle: 1, walAll: 0, schedule: 2, request: 0 }, 'soft-deleted databases count');
});

test('tokens: the operator token is 0, others count from 1 and are never numbered again', async (t) => {
  const root = await temporaryDirectory(t);
  const catalog = await openCatalog(root);
  const hash = (digit: string) => digit.repeat(128);
  assert.equal((await catalog.createToken({ name: 'ci', hash: hash('1'), expiryMs: 9 })).id, 1);
  assert.equal((await catalog.createToken({ name: '_admin', hash: hash('2') })).id, 0);
  await assert.rejects(catalog.createToken({ name: '_admin', hash: hash('3') }), {
    message: 'token name already exists, _admin',
    status: 409,
  });
  await assert.rejects(catalog.createToken({ name: 'same hash', hash: hash('1') }), { status: 409 });
  const regenerated = await catalog.regenerateOperatorToken(hash('4'));
  assert.deepEqual([regenerated.id, regenerated.createdAtMs, regenerated.updatedAtMs, regenerated.updatedById], [0, NOW_MS, NOW_MS, 0]);
  assert.equal(catalog.tokenByHash(hash('2')), undefined);
  assert.equal(catalog.tokenByHash(hash('4'))?.name, '_admin');
  await assert.rejects(catalog.deleteToken('_admin'), { message: 'cannot delete operator token', status: 405 });
  await catalog.deleteToken('ci');
  await assert.rejects(catalog.deleteToken('ci'), { message: 'the requested resource was not found: ci', status: 404 });
  assert.equal(catalog.tokenByHash(hash('1')), undefined);
  await catalog.close();
  const reopened = await openCatalog(root);
  assert.equal((await reopened.createToken({ name: 'ci', hash: hash('1') })).id, 2);
  assert.deepEqual(
    reopened.tokens().map((token) => [token.id, token.name]),
    [
      [0, '_admin'],
      [2, 'ci'],
    ],
  );
});

test('tokens with permissions keep them in steps and lines of their own; admin tokens are written as ever', async (t) => {
  const hash = (digit: string) => digit.repeat(128);
  const permissions = [parsePermission('db:a,b:read'), parsePermission('system:*:read')];
  for (const changesPerSnapshot of [100, 1]) {
    const root = await temporaryDirectory(t);
    const catalog = await openCatalog(root, { changesPerSnapshot });
    await catalog.createToken({ name: 'ci', hash: hash('1') });
    const made = await catalog.createToken({ name: 'limited', hash: hash('2'), permissions, expiryMs: 7 });
    assert.deepEqual([made.id, made.permissions], [2, permissions]);
    await assert.rejects(catalog.createToken({ name: '_admin', hash: hash('3'), permissions }), {
      message: 'token name already exists, _admin',
    });
    await catalog.close();
    if (changesPerSnapshot === 1) {
      // a snapshot that was under way may lack the last token
      const later = await openCatalog(root, { changesPerSnapshot });
      await later.createDatabase('later');
      await later.close();
    }
    const written = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('\n');
    const kind = changesPerSnapshot === 1 ? '"line":"resource_token"' : '"op":"put_resource_token"';
    assert.equal(written.includes(kind), true);
    // whoever knows admin tokens only must not find one in it
    assert.equal(/"(?:line":"token|op":"put_token)","token":\{[^}]*"permissions/.test(written), false);
    assert.equal(/"(?:line":"token|op":"put_token)","token":\{"id":1,"name":"ci"/.test(written), true);
    const reopened = await openCatalog(root, { changesPerSnapshot });
    assert.deepEqual(
      reopened.tokens().map((token) => [token.id, token.name, token.permissions]),
      [
        [1, 'ci', undefined],
        [2, 'limited', permissions],
      ],
    );
    await reopened.deleteToken('limited');
    assert.equal(reopened.tokenByHash(hash('2')), undefined);
  }
});

test('a step that makes a resource token without permissions is not taken for an admin token', () => {
  const token = { id: 1, name: 'x', hash: 'a'.repeat(128), createdAtMs: 0 } as unknown as ResourceTokenRecord;
  assert.throws(() => new CatalogState().apply({ op: 'put_resource_token', token }), /token 'x' has no permissions/);
});

test('no operator token cannot be regenerated', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await assert.rejects(catalog.regenerateOperatorToken('0'), { message: 'missing admin token, cannot update', status: 500 });
});

test('a node keeps its ids over restarts, also after a crash', async (t) => {
  const root = await temporaryDirectory(t);
  const first = await openCatalog(root);
  const registration = { nodeId: 'n', cores: 2, processUuid: 'p1', cliParams: '{"node-id":"n"}' };
  const node = await first.registerNode(registration);
  assert.deepEqual([node.id, node.state, node.mode], [0, 'running', ['core']]);
  await first.close();
  const second = await openCatalog(root);
  const again = await second.registerNode({ ...registration, processUuid: 'p2', cores: 4 });
  assert.deepEqual([again.instanceId, again.id, again.processUuid, again.cores], [node.instanceId, 0, 'p2', 4]);
  assert.equal((await second.stopNode('n')).state, 'stopped');
  assert.equal((await second.registerNode({ ...registration, nodeId: 'other' })).id, 1);
});

test('the gen1 duration of the first start stays', async (t) => {
  const root = await temporaryDirectory(t);
  const first = await openCatalog(root);
  assert.equal(await first.ensureGen1Duration(600), 600);
  assert.equal(await first.ensureGen1Duration(60), 600);
  await first.close();
  const second = await openCatalog(root);
  assert.equal(await second.ensureGen1Duration(60), 600);
  assert.equal(second.gen1DurationSecs, 600);
});
