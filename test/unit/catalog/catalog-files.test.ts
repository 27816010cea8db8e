import assert from 'node:assert/strict';
import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Catalog, CatalogChange } from '../../../src/catalog/index.ts';
import { nodeFileSystem } from '../../../src/storage/index.ts';
import { FaultyFileSystem } from '../storage/faulty-file-system.ts';
import { temporaryDirectory } from '../storage/temp-directory.ts';
import { addColumns, describe, openCatalog } from './catalog-fixture.ts';

const logPath = (root: string, sequence: number) => join(root, 'catalog', 'v3', 'logs', `${String(sequence).padStart(20, '0')}.catalog`);
const snapshotPath = (root: string) => join(root, 'catalog', 'v3', 'snapshot');

/** A catalog with something of every kind, closed. */
async function filledCatalog(t: TestContext, changesPerSnapshot = 100): Promise<{ root: string; catalog: Catalog; described: unknown }> {
  const root = await temporaryDirectory(t);
  const catalog = await openCatalog(root, { changesPerSnapshot });
  await addColumns(catalog, 'db', 'cpu', [
    ['host', 'tag'],
    ['usage', 'float'],
    ['büro', 'string'],
  ]);
  await addColumns(catalog, 'db/rp', 'mem', [['used', 'uinteger']]);
  await catalog.setRetention('db', 9_007_199_254_740_993n);
  await catalog.setDefaultPolicy('db', 'rp');
  await catalog.setPolicyShards('db', { shardDurationNs: 9_007_199_254_740_993n, replicas: 2 });
  await catalog.setTableRetention('db', 'cpu', 1n);
  await catalog.createLastCache('db', 'cpu', { name: 'l', keyColumns: undefined, valueColumns: ['usage'], count: 2, ttlSecs: 3 });
  await catalog.createDistinctCache('db', 'cpu', { name: 'd', columns: ['host'], maxCardinality: 2, maxAgeSecs: 3 });
  await catalog.createTrigger('db', {
    name: 'e',
    pluginFilename: 'gh:x/y.py',
    spec: { kind: 'every', secs: 1, nanos: 5 },
    runAsync: true,
    errorBehavior: 'retry',
    arguments: { a: 'b' },
    disabled: true,
  });
  await catalog.createToken({ name: '_admin', hash: 'ab'.repeat(64), expiryMs: 5, description: 'x' });
  await catalog.registerNode({ nodeId: 'n', cores: 2, processUuid: 'p', cliParams: undefined });
  await catalog.ensureGen1Duration(300);
  await catalog.softDeleteDatabase('db/rp', { kind: 'default' });
  await catalog.close();
  return { root, catalog, described: everything(catalog) };
}

function everything(catalog: Catalog): unknown {
  const { uuid, sequence, gen1DurationSecs } = catalog;
  return JSON.parse(
    JSON.stringify(
      { uuid, sequence, gen1DurationSecs, tokens: catalog.tokens(), nodes: [...catalog.nodes()], schema: describe(catalog) },
      (_, value) => (typeof value === 'bigint' ? `${value}n` : value),
    ),
  );
}

for (const changesPerSnapshot of [100, 5, 1]) {
  test(`a restart finds everything again, with a snapshot every ${changesPerSnapshot} changes`, async (t) => {
    const { root, described } = await filledCatalog(t, changesPerSnapshot);
    const names = await readdir(join(root, 'catalog', 'v3'));
    assert.equal(names.includes('snapshot'), changesPerSnapshot !== 100);
    const reopened = await openCatalog(root);
    assert.deepEqual(everything(reopened), described);
    assert.deepEqual(reopened.movedAside, []);
  });
}

test('each change is one file of its sequence, with own magic', async (t) => {
  const { root, catalog } = await filledCatalog(t);
  const names = await readdir(join(root, 'catalog', 'v3', 'logs'));
  assert.equal(names.length, catalog.sequence);
  assert.equal(names[0], '00000000000000000001.catalog');
  assert.equal((await readFile(logPath(root, 1))).toString('latin1', 0, 8), 'i3ts-cat');
});

test('logs that the snapshot covers are ignored, then deleted but for the last 100', async (t) => {
  const root = await temporaryDirectory(t);
  const catalog = await openCatalog(root, { changesPerSnapshot: 130 });
  for (let i = 0; i < 140; i++) await catalog.createDatabase(`d${i}`);
  await catalog.close();
  const names = (await readdir(join(root, 'catalog', 'v3', 'logs'))).sort();
  assert.ok(names.length >= 100 && names.length <= 111, `${names.length} logs`);
  assert.equal(names.at(-1), '00000000000000000141.catalog');
  await writeFile(logPath(root, 50), 'covered by the snapshot');
  assert.deepEqual(everything(await openCatalog(root)), everything(catalog));
});

test('a torn or empty last log is moved aside and its number is not used again', async (t) => {
  for (const length of [0, 20, 60]) {
    const { root, catalog } = await filledCatalog(t);
    const last = catalog.sequence;
    await truncate(logPath(root, last), length);
    const reopened = await openCatalog(root);
    assert.deepEqual(reopened.movedAside, [`${logPath(root, last)}.corrupt`]);
    assert.equal(reopened.database('db/rp')?.deleted, false, 'the torn change did not happen');
    await reopened.createDatabase('next');
    assert.equal(reopened.sequence, last + 1);
    await reopened.close();
    const again = await openCatalog(root);
    assert.deepEqual(everything(again), everything(reopened));
  }
});

test('a first start that was torn begins anew', async (t) => {
  const root = await temporaryDirectory(t);
  await (await openCatalog(root)).close();
  await truncate(logPath(root, 1), 10);
  const catalog = await openCatalog(root);
  assert.equal(catalog.database('_internal')?.id, 0);
  assert.equal(catalog.sequence, 2);
  await catalog.close();
  assert.deepEqual(everything(await openCatalog(root)), everything(catalog));
});

test('damage or a gap before the last log refuses the start with the path', async (t) => {
  const { root } = await filledCatalog(t);
  const bytes = await readFile(logPath(root, 3));
  bytes[60] = (bytes[60] ?? 0) ^ 1;
  await writeFile(logPath(root, 3), bytes);
  const corrupt = { name: 'StartupError', code: 'CATALOG_CORRUPT' };
  await assert.rejects(openCatalog(root), {
    ...corrupt,
    message: new RegExp(`catalog file '${logPath(root, 3)}' cannot be used: checksum mismatch`),
  });
  await rm(logPath(root, 3));
  await assert.rejects(openCatalog(root), { ...corrupt, message: /00003\.catalog' cannot be used: file is missing/ });
});

test('a flipped bit in the last log refuses the start: its change was acknowledged', async (t) => {
  const { root, catalog } = await filledCatalog(t);
  const path = logPath(root, catalog.sequence);
  const good = await readFile(path);
  for (let at = 0; at < good.length; at += 7) {
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const isLength = at >= 12 && at < 16;
    if (isLength) continue; // reads as a file that was cut off
    await assert.rejects(openCatalog(root), { name: 'StartupError', code: 'CATALOG_CORRUPT' }, `byte ${at}`);
  }
  await writeFile(path, good);
  assert.deepEqual(everything(await openCatalog(root)), everything(catalog));
});

test('the last logs that are missing refuse the start when something else knows their changes', async (t) => {
  const { root, catalog } = await filledCatalog(t);
  const { sequence } = catalog;
  await rm(logPath(root, sequence));
  await rm(logPath(root, sequence - 1));
  await assert.rejects(openCatalog(root, { knownSequence: sequence }), {
    code: 'CATALOG_CORRUPT',
    message: new RegExp(`'${logPath(root, sequence - 1)}' cannot be used: file is missing, snapshot infos know changes up to ${sequence}`),
  });
  await (await openCatalog(root, { knownSequence: sequence - 2 })).close();
  await writeFile(`${logPath(root, sequence)}.corrupt`, '');
  const accepted = await openCatalog(root, { knownSequence: sequence });
  assert.equal(accepted.sequence, sequence, 'its number is not used again');
  await accepted.close();
});

test('ids that were given out are told from those that were not, also when what had them is gone', async (t) => {
  const root = await temporaryDirectory(t);
  const catalog = await openCatalog(root);
  await addColumns(catalog, 'a', 'm', [['f', 'float']]);
  await addColumns(catalog, 'a', 'n', [['f', 'float']]);
  await addColumns(catalog, 'b', 'm', [['f', 'float']]);
  const deleted = await catalog.softDeleteDatabase('b', { kind: 'now' });
  await catalog.dropDatabase(deleted.id);
  await catalog.dropTable(1, 1);
  const check = (opened: Catalog): void => {
    const asked = [
      opened.gaveOut(1, 0),
      opened.gaveOut(1, 1),
      opened.gaveOut(1, 2),
      opened.gaveOut(deleted.id, 7),
      opened.gaveOut(deleted.id + 1, 0),
    ];
    assert.deepEqual(asked, [true, true, false, true, false]);
  };
  check(catalog);
  await catalog.close();
  const again = await openCatalog(root);
  check(again);
  await again.close();
});

test('a log of another cluster refuses the start', async (t) => {
  const { root, catalog } = await filledCatalog(t);
  const otherRoot = await temporaryDirectory(t);
  const other = await openCatalog(otherRoot, { randomUuid: () => 'ffffffff-0000-4000-8000-000000000000' });
  for (let i = 0; other.sequence <= catalog.sequence; i++) await other.createDatabase(`d${i}`);
  await other.close();
  const next = catalog.sequence + 1;
  await writeFile(logPath(root, next), await readFile(logPath(otherRoot, next)));
  await assert.rejects(openCatalog(root), { name: 'StartupError', code: 'CATALOG_FOREIGN' });
});

test('a damaged snapshot is replaced by its logs while they are all there, else the start is refused', async (t) => {
  const { root, described } = await filledCatalog(t, 5);
  await writeFile(snapshotPath(root), 'rubbish');
  assert.deepEqual(everything(await openCatalog(root)), described);
  await writeFile(snapshotPath(root), 'rubbish');
  await rm(logPath(root, 1));
  await assert.rejects(openCatalog(root), { code: 'CATALOG_CORRUPT' });
  await rm(snapshotPath(root));
  await assert.rejects(openCatalog(root), { code: 'CATALOG_CORRUPT' });
});

test('a change that cannot be written fails with 500, leaves no trace and the next one works', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const catalog = await openCatalog(root, { fs });
  for (const operation of ['open', 'writev', 'datasync', 'link', 'syncDirectory']) {
    fs.failNext(operation, 'ENOSPC');
    await assert.rejects(catalog.createDatabase('db'), {
      code: 'CATALOG_WRITE_FAILED',
      status: 500,
      message: `catalog write failed: ENOSPC: injected at ${operation}`,
    });
    assert.equal(catalog.database('db'), undefined);
  }
  await catalog.createDatabase('other');
  await catalog.close();
  assert.deepEqual(everything(await openCatalog(root)), everything(catalog));
});

test('after a failure whose file may be visible, nothing is written before that file is gone', async (t) => {
  const root = await temporaryDirectory(t);
  const fs = new FaultyFileSystem(nodeFileSystem);
  const catalog = await openCatalog(root, { fs });
  const at = fs.operations.length + 5; // link is done: everything from the directory sync on fails
  fs.fault = { at, dead: true, code: 'EIO' };
  await assert.rejects(catalog.createDatabase('a'), { code: 'CATALOG_WRITE_FAILED' });
  await assert.rejects(catalog.createDatabase('b'), { code: 'CATALOG_WRITE_FAILED' });
  fs.fault = undefined;
  await catalog.createDatabase('c');
  assert.equal(catalog.database('c')?.id, 1);
  await catalog.close();
  assert.deepEqual(everything(await openCatalog(root)), everything(catalog));
});

test('acknowledged changes survive a death at any operation, and ids stay unique', async (t) => {
  const run = async (root: string, fs: FaultyFileSystem): Promise<string[]> => {
    const acknowledged: string[] = [];
    const catalog = await openCatalog(root, { fs, changesPerSnapshot: 3 });
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await catalog.createDatabase(name).then(
        () => acknowledged.push(name),
        () => undefined,
      );
    }
    await catalog.close();
    return acknowledged;
  };
  const counting = new FaultyFileSystem(nodeFileSystem);
  await run(await temporaryDirectory(t), counting);
  for (const dead of [true, false]) {
    for (let at = 0; at < counting.operations.length; at++) {
      const root = await temporaryDirectory(t);
      const acknowledged = await run(root, new FaultyFileSystem(nodeFileSystem, { at, dead, code: 'EIO' })).catch(() => []);
      const catalog = await openCatalog(root);
      for (const name of acknowledged) assert.ok(catalog.database(name), `operation ${at} lost '${name}'`);
      await catalog.createDatabase('new');
      const ids = [...catalog.databases()].map((database) => database.id);
      assert.equal(new Set(ids).size, ids.length);
      await catalog.close();
    }
  }
});

test('listeners hear each change after it is visible, until they leave; one that throws disturbs nobody', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  const changes: CatalogChange[] = [];
  catalog.onChange(() => {
    throw new Error('broken listener');
  });
  const leave = catalog.onChange((change) => {
    assert.ok(catalog.database('db'));
    changes.push(change);
  });
  await catalog.createDatabase('db');
  leave();
  await catalog.createDatabase('db2');
  assert.deepEqual(
    changes.map((change) => [change.sequence, change.ops]),
    [[2, [{ op: 'create_database', id: 1, name: 'db' }]]],
  );
});

test('a closed catalog refuses changes and still answers', async (t) => {
  const catalog = await openCatalog(await temporaryDirectory(t));
  const running = catalog.createDatabase('db');
  await catalog.close();
  await running;
  await assert.rejects(catalog.createDatabase('x'), { code: 'CATALOG_CLOSED' });
  assert.ok(catalog.database('db'));
});

test('a snapshot taken while changes go on is complete up to its sequence', async (t) => {
  const root = await temporaryDirectory(t);
  const catalog = await openCatalog(root, { changesPerSnapshot: 10 });
  for (let i = 0; i < 40; i++) {
    await Promise.all(['x', 'y', 'z'].map((name) => addColumns(catalog, `db${i}`, name, [[`f${i}`, 'float']])));
  }
  await catalog.close();
  assert.deepEqual(everything(await openCatalog(root)), everything(catalog));
});
