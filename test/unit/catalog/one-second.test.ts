import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import type { Catalog, DatabaseSchema, TableSchema } from '../../../src/catalog/index.ts';
import { checkSteps } from '../../../src/catalog/invariants.ts';
import { CatalogState } from '../../../src/catalog/state.ts';
import { dumpState, loadState } from '../../../src/catalog/state-codec.ts';
import { InfluxError } from '../../../src/shared/errors.ts';
import { addColumns, describe, openCatalog } from './catalog-fixture.ts';

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'influxdb3-catalog-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function deletedNames(items: Iterable<{ readonly name: string; readonly deleted: boolean }>): string[] {
  return [...items].filter((item) => item.deleted).map((item) => item.name);
}

function databaseNamed(catalog: Catalog, name: string): DatabaseSchema {
  const found = catalog.database(name);
  assert.ok(found, name);
  return found;
}

test('undelete of a database brings back the tables that it had, not one that was deleted in the same second', async (t) => {
  const root = await directory(t);
  const catalog = await openCatalog(root);
  await addColumns(catalog, 'db', 'm', [['old', 'float']]);
  await catalog.softDeleteTable('db', 'm', { kind: 'default' });
  await addColumns(catalog, 'db', 'm', [['new', 'float']]);
  const deleted = await catalog.softDeleteDatabase('db', { kind: 'default' });
  await catalog.undeleteDatabase(deleted.name, undefined);
  const check = (opened: Catalog): void => {
    const { tables } = databaseNamed(opened, 'db');
    assert.deepEqual(
      [...tables.values()].map((table) => [table.deleted, table.columns[0]?.name]),
      [
        [true, 'old'],
        [false, 'new'],
      ],
    );
    assert.equal(tables.get('m')?.columns[0]?.name, 'new');
  };
  check(catalog);
  await catalog.close();
  const again = await openCatalog(root);
  check(again);
  const [name] = deletedNames(databaseNamed(again, 'db').tables.values());
  const old = await again.undeleteTable({ database: 'db', table: name ?? '', newName: 'before' });
  assert.equal(old.columns[0]?.name, 'old');
  await again.close();
});

test('a log of an earlier version that gave two tables one name keeps both reachable', () => {
  const state = new CatalogState();
  const stamp = '20260617T102030';
  state.apply({ op: 'create_database', id: 1, name: 'db' });
  state.apply({ op: 'create_table', db: 1, id: 0, name: 'm' });
  state.apply({ op: 'delete_table', db: 1, table: 0, newName: `m-${stamp}` });
  state.apply({ op: 'create_table', db: 1, id: 1, name: 'm' });
  state.apply({ op: 'delete_table', db: 1, table: 1, newName: `m-${stamp}-1` });
  state.apply({ op: 'undelete_table', db: 1, table: 0, newName: 'm' });
  state.apply({ op: 'undelete_table', db: 1, table: 1, newName: 'm' });
  assert.deepEqual(state.renamedApart, ['m -> m-0']);
  const loaded = loadState(Buffer.from([...dumpState(state)].join('')));
  for (const each of [state, loaded]) {
    const { tables } = each.database(1);
    assert.deepEqual(
      [...tables].map(([name, table]) => [name, table.name, table.id]),
      [
        ['m-0', 'm-0', 0],
        ['m', 'm', 1],
      ],
    );
  }
});

test('steps that would give two things one name or id are refused before they are durable', () => {
  const state = new CatalogState();
  state.apply({ op: 'create_database', id: 1, name: 'db' });
  state.apply({ op: 'create_table', db: 1, id: 0, name: 'm' });
  state.apply({ op: 'add_columns', db: 1, table: 0, columns: [['f', 'float']] });
  const refused: Parameters<typeof checkSteps>[1][] = [
    [{ op: 'create_database', id: 2, name: 'db' }],
    [{ op: 'create_database', id: 1, name: 'other' }],
    [{ op: 'create_table', db: 1, id: 1, name: 'm' }],
    [{ op: 'create_table', db: 1, id: 0, name: 'n' }],
    [
      { op: 'create_table', db: 1, id: 1, name: 'n' },
      { op: 'undelete_table', db: 1, table: 1, newName: 'm' },
    ],
    [{ op: 'add_columns', db: 1, table: 0, columns: [['f', 'float']] }],
    [{ op: 'drop_table', db: 1, table: 7 }],
    [{ op: 'set_database_retention', db: 7 }],
  ];
  for (const ops of refused) assert.throws(() => checkSteps(state, ops), /internal error/, JSON.stringify(ops));
  checkSteps(state, [
    { op: 'delete_table', db: 1, table: 0, newName: 'gone' },
    { op: 'create_table', db: 1, id: 1, name: 'm' },
  ]);
});

/** One request; numbers choose among what is there. */
type Step =
  | { readonly kind: 'create' | 'deleteTable' | 'undeleteTable'; readonly db: number; readonly table: number; readonly named: boolean }
  | { readonly kind: 'deleteDatabase' | 'undeleteDatabase' | 'dropTable' | 'restart'; readonly db: number; readonly named: boolean };

/** Names that look like those of deleted things are the worst that users can choose. */
const TABLES = ['m', 'm-20260617T102030', 'm-20260617T102030-1', 'm'];
const DATABASES = ['db', 'db', 'db-20260617T102030'];

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constantFrom('create' as const, 'create' as const, 'deleteTable' as const, 'deleteTable' as const, 'undeleteTable' as const),
      db: fc.nat(2),
      table: fc.nat(5),
      named: fc.boolean(),
    }),
    fc.record({
      kind: fc.constantFrom('deleteDatabase' as const, 'undeleteDatabase' as const, 'dropTable' as const, 'restart' as const),
      db: fc.nat(2),
      named: fc.boolean(),
    }),
  ),
  { minLength: 10, maxLength: 40 },
);

function pick<T>(items: readonly T[], n: number): T | undefined {
  return items.length === 0 ? undefined : items[n % items.length];
}

/** What must be reachable: the first column of each table names it for good. */
class Expected {
  readonly tables = new Map<string, { readonly databaseId: number; readonly tableId: number }>();
  #count = 0;

  async create(catalog: Catalog, database: string, table: string): Promise<void> {
    const mark = `c${this.#count++}`;
    await catalog.createTable(database, table, { tags: [], fields: [{ name: mark, type: 'float' }] });
    const made = databaseNamed(catalog, database).tables.get(table);
    assert.ok(made);
    this.tables.set(mark, { databaseId: made.databaseId, tableId: made.id });
  }

  forget(table: TableSchema): void {
    for (const [mark, { databaseId, tableId }] of this.tables) {
      if (databaseId === table.databaseId && tableId === table.id) this.tables.delete(mark);
    }
  }

  check(catalog: Catalog): void {
    const found = new Map<string, { readonly databaseId: number; readonly tableId: number }>();
    for (const database of catalog.databases()) {
      assert.equal(catalog.database(database.name), database);
      for (const table of database.tables.values()) {
        assert.equal(database.tables.get(table.name), table);
        assert.equal(catalog.tableById(database.id, table.id), table);
        const mark = table.columns[0]?.name ?? '';
        assert.ok(!found.has(mark), `${mark} is found twice`);
        found.set(mark, { databaseId: database.id, tableId: table.id });
      }
    }
    assert.deepEqual(new Map([...found].sort()), new Map([...this.tables].sort()));
  }
}

async function run(catalog: Catalog, expected: Expected, step: Exclude<Step, { kind: 'restart' }>): Promise<void> {
  const databases = [...catalog.databases()].filter(({ name }) => name !== '_internal');
  const database = pick(databases, step.db);
  const tables = [...(database?.tables.values() ?? [])];
  switch (step.kind) {
    case 'create':
      await expected.create(catalog, pick(DATABASES, step.db) ?? '', pick(TABLES, step.table) ?? '');
      return;
    case 'deleteTable':
      await catalog.softDeleteTable(database?.name ?? '', pick(tables, step.table)?.name ?? '', { kind: 'default' });
      return;
    case 'undeleteTable': {
      const table = pick(deletedNames(tables), step.table) ?? '';
      const newName = step.named ? pick(TABLES, step.table) : undefined;
      await catalog.undeleteTable({ database: database?.name ?? '', table, newName });
      return;
    }
    case 'deleteDatabase':
      await catalog.softDeleteDatabase(database?.name ?? '', { kind: 'default' });
      return;
    case 'undeleteDatabase': {
      const name = pick(deletedNames(databases), step.db) ?? '';
      const before = new Map([...(catalog.database(name)?.tables ?? [])]);
      const back = await catalog.undeleteDatabase(name, step.named ? pick(DATABASES, step.db) : undefined);
      assert.equal(back.tables.size, before.size);
      return;
    }
    case 'dropTable': {
      const table = tables.find(({ deleted }) => deleted);
      if (table === undefined) return;
      await catalog.dropTable(table.databaseId, table.id);
      expected.forget(table);
    }
  }
}

for (const changesPerSnapshot of [1, 1000]) {
  test(`every table stays reachable whatever is deleted and made anew within one second, snapshot every ${changesPerSnapshot}`, async (t) => {
    const root = await directory(t);
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const path = join(root, String(runs++));
        let catalog = await openCatalog(path, { changesPerSnapshot });
        const expected = new Expected();
        const restart = async (): Promise<void> => {
          const before = describe(catalog);
          await catalog.close();
          catalog = await openCatalog(path, { changesPerSnapshot });
          assert.deepEqual(describe(catalog), before);
        };
        for (const step of list) {
          if (step.kind === 'restart') await restart();
          else {
            try {
              await run(catalog, expected, step as Exclude<Step, { kind: 'restart' }>);
            } catch (error) {
              if (!(error instanceof InfluxError) || error.status >= 500) throw error;
            }
          }
          expected.check(catalog);
        }
        await restart();
        expected.check(catalog);
        await catalog.close();
        assert.ok((await readdir(path)).length > 0);
        await rm(path, { recursive: true, force: true });
      }),
      { numRuns: 60 },
    );
  });
}
