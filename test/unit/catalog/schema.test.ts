import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SchemaError } from '../../../src/catalog/index.ts';
import { temporaryDirectory } from '../storage/temp-directory.ts';
import { addColumns, openCatalog, stage } from './catalog-fixture.ts';

const LIMITS = { maxDatabases: 2, maxTables: 3, maxColumnsPerTable: 4 };

/** Runs something that must be refused; returns what clients see. */
function refusal(run: () => unknown): { message: string; status: number; shape: string } {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof SchemaError, String(error));
    return { message: error.message, status: error.status, shape: error.shape };
  }
  return assert.fail('nothing was thrown');
}

test('a write creates database, table and columns in one change, ids in creation order', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  const transaction = catalog.beginWrite('db');
  assert.equal(transaction.database, undefined);
  assert.equal(transaction.changed, false);
  stage(transaction, 'cpu', [
    ['host', 'tag'],
    ['usage', 'float'],
  ]);
  assert.equal(transaction.table('cpu')?.column('usage'), 'float');
  assert.equal(catalog.database('db'), undefined, 'nothing is visible before the commit');
  assert.equal(await catalog.commit(transaction), 'committed');
  const database = catalog.database('db');
  const table = database?.tables.get('cpu');
  assert.equal(database?.id, 1);
  assert.deepEqual(table?.columns, [
    { id: 0, name: 'host', type: 'tag' },
    { id: 1, name: 'usage', type: 'float' },
    { id: 2, name: 'time', type: 'time' },
  ]);
  assert.deepEqual(table.seriesKey, [{ id: 0, name: 'host', type: 'tag' }]);
  assert.equal(catalog.sequence, 2);
});

test('tables keep their identity and grow in place', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'cpu', [['a', 'integer']]);
  const table = catalog.database('db')?.tables.get('cpu');
  await addColumns(catalog, 'db', 'cpu', [['region', 'tag']]);
  assert.equal(catalog.database('db')?.tables.get('cpu'), table);
  assert.equal(catalog.tableById(1, 0), table);
  assert.deepEqual(
    table?.columns.map((column) => column.name),
    ['a', 'time', 'region'],
  );
});

test('a transaction without additions commits without a change', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'cpu', [['a', 'integer']]);
  const transaction = catalog.beginWrite('db');
  transaction.stage({ tableName: 'cpu', newColumns: [{ name: 'a', type: 'integer' }] });
  assert.equal(transaction.changed, false);
  assert.equal(await catalog.commit(transaction), 'committed');
  assert.equal(catalog.sequence, 2);
});

test('type conflicts and reserved names have the exact texts and stage nothing', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'm', [
    ['a', 'tag'],
    ['f', 'integer'],
  ]);
  const transaction = catalog.beginWrite('db');
  assert.deepEqual(
    refusal(() => stage(transaction, 'm', [['f', 'float']])),
    {
      message: "invalid column type for column 'f', expected iox::column_type::field::integer, got iox::column_type::field::float",
      status: 400,
      shape: 'text',
    },
  );
  assert.equal(
    refusal(() => stage(transaction, 'm', [['a', 'string']])).message,
    "invalid column type for column 'a', expected iox::column_type::tag, got iox::column_type::field::string",
  );
  assert.equal(
    refusal(() => stage(transaction, 'm', [['time', 'tag']])).message,
    "invalid column type for column 'time', expected iox::column_type::timestamp, got iox::column_type::tag",
  );
  assert.equal(refusal(() => stage(transaction, 'n', [['time', 'integer']])).message, "'time' is a reserved column");
  assert.equal(refusal(() => stage(transaction, 'm', [['__chunk_order', 'integer']])).message, "'__chunk_order' is a reserved column");
  assert.equal(
    refusal(() =>
      stage(transaction, 'm', [
        ['new', 'float'],
        ['a', 'float'],
      ]),
    ).message,
    "invalid column type for column 'a', expected iox::column_type::tag, got iox::column_type::field::float",
  );
  assert.equal(
    refusal(() =>
      stage(transaction, 'o', [
        ['x', 'tag'],
        ['x', 'float'],
      ]),
    ).message,
    "invalid column type for column 'x', expected iox::column_type::tag, got iox::column_type::field::float",
  );
  assert.equal(transaction.changed, false);
  assert.equal(transaction.table('n'), undefined);
  assert.equal(transaction.table('m')?.column('new'), undefined);
});

test('the column limit counts tags and fields but not time', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t), { limits: LIMITS });
  const transaction = catalog.beginWrite('db');
  stage(transaction, 'm', [
    ['a', 'tag'],
    ['b', 'float'],
    ['c', 'float'],
    ['d', 'float'],
  ]);
  const message = 'Update to schema would exceed number of columns per table limit of 4 columns';
  assert.deepEqual(
    refusal(() => stage(transaction, 'm', [['e', 'float']])),
    { message, status: 422, shape: 'json' },
  );
  assert.equal(await catalog.commit(transaction), 'committed');
  assert.equal(refusal(() => stage(catalog.beginWrite('db'), 'm', [['e', 'float']])).message, message);
});

test('the table limit counts live tables of all databases and those staged', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t), { limits: LIMITS });
  await addColumns(catalog, 'one', 'a', [['f', 'float']]);
  await addColumns(catalog, 'two', 'b', [['f', 'float']]);
  const transaction = catalog.beginWrite('two');
  stage(transaction, 'c', [['f', 'float']]);
  const refused = {
    message: 'Update to schema would exceed number of tables limit: attempted to create table but already have 3 table(s) (limit: 3)',
    status: 422,
    shape: 'json',
  };
  assert.deepEqual(
    refusal(() => stage(transaction, 'd', [['f', 'float']])),
    refused,
  );
  assert.equal(await catalog.commit(transaction), 'committed');
  await catalog.softDeleteTable('one', 'a', { kind: 'never' });
  await addColumns(catalog, 'two', 'd', [['f', 'float']]);
  assert.deepEqual(
    refusal(() => stage(catalog.beginWrite('one'), 'e', [['f', 'float']])),
    refused,
  );
});

test('the database limit leaves out _internal and deleted ones', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t), { limits: LIMITS });
  await addColumns(catalog, 'one', 'a', [['f', 'float']]);
  await addColumns(catalog, 'two', 'a', [['f', 'float']]);
  assert.deepEqual(
    refusal(() => catalog.beginWrite('three')),
    { message: 'Adding a new database would exceed limit of 2 databases', status: 422, shape: 'json' },
  );
  await catalog.softDeleteDatabase('one', { kind: 'default' });
  await addColumns(catalog, 'three', 'a', [['f', 'float']]);
});

test('a soft-deleted database cannot be written', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'a', [['f', 'float']]);
  const { name } = await catalog.softDeleteDatabase('db', { kind: 'default' });
  assert.throws(() => catalog.beginWrite(name), {
    message: "cannot write to soft-deleted database 'db-20260617T102030' - it is marked for deletion",
    status: 400,
    shape: 'json',
  });
  assert.equal(catalog.beginWrite('db').database, undefined);
});

test('writers that add the same columns at the same time share one change and do not conflict', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  const transactions = Array.from({ length: 50 }, () => catalog.beginWrite('db'));
  for (const [i, transaction] of transactions.entries()) {
    stage(transaction, 'cpu', [
      ['host', 'tag'],
      [`f${i % 5}`, 'float'],
    ]);
  }
  const outcomes = await Promise.all(transactions.map((transaction) => catalog.commit(transaction)));
  assert.ok(outcomes.every((outcome) => outcome === 'committed'));
  assert.equal(catalog.sequence, 2);
  assert.deepEqual(
    catalog
      .database('db')
      ?.tables.get('cpu')
      ?.columns.map((column) => column.name),
    ['host', 'f0', 'time', 'f1', 'f2', 'f3', 'f4'],
  );
});

test('different databases created at the same time get different ids', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await Promise.all(['a', 'b', 'c'].map((name) => addColumns(catalog, name, 't', [['f', 'float']])));
  assert.deepEqual(
    [...catalog.databases()].map((database) => [database.id, database.name, database.tables.size]),
    [
      [0, '_internal', 0],
      [1, 'a', 1],
      [2, 'b', 1],
      [3, 'c', 1],
    ],
  );
});

test('a column that another write gave another type meanwhile is a conflict and adds nothing', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  const first = catalog.beginWrite('db');
  const second = catalog.beginWrite('db');
  stage(first, 'm', [['f', 'float']]);
  stage(second, 'm', [
    ['f', 'integer'],
    ['g', 'integer'],
  ]);
  stage(second, 'n', [['x', 'float']]);
  assert.deepEqual(await Promise.all([catalog.commit(first), catalog.commit(second)]), ['committed', 'conflict']);
  assert.equal(catalog.database('db')?.tables.get('m')?.columnByName.get('g'), undefined);
  assert.equal(catalog.database('db')?.tables.get('n'), undefined);
});

test('a database or table that was deleted meanwhile is a conflict', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  await addColumns(catalog, 'db', 'm', [['f', 'float']]);
  const overTable = catalog.beginWrite('db');
  stage(overTable, 'm', [['g', 'float']]);
  await catalog.softDeleteTable('db', 'm', { kind: 'default' });
  assert.equal(await catalog.commit(overTable), 'conflict');
  const overDatabase = catalog.beginWrite('db');
  stage(overDatabase, 'n', [['g', 'float']]);
  await catalog.softDeleteDatabase('db', { kind: 'default' });
  assert.equal(await catalog.commit(overDatabase), 'conflict');
});

test('limits that others reached meanwhile are a conflict, so that the writer hears the limit', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t), { limits: LIMITS });
  const databases = ['a', 'b', 'c'].map((name) => catalog.beginWrite(name));
  for (const transaction of databases) stage(transaction, 't', [['f', 'float']]);
  const outcomes = await Promise.all(databases.map((transaction) => catalog.commit(transaction)));
  assert.deepEqual(outcomes, ['committed', 'committed', 'conflict']);
  const tables = ['a', 'b'].map((name) => catalog.beginWrite(name));
  for (const transaction of tables) stage(transaction, 'u', [['f', 'float']]);
  assert.deepEqual(await Promise.all(tables.map((transaction) => catalog.commit(transaction))), ['committed', 'conflict']);
});
