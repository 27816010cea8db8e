// Runs alone: takes seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelTable, modelLine, type TestRow } from '../../support/model-table.ts';
import { TestWriteStore, temporaryDirectory } from '../../support/write-store.ts';

const WRITERS = 8;
const START_NS = 1_700_000_000_000_000_000n;

/** Row `n` of a writer: every value follows from both numbers, and the key is of this writer alone. */
function row(writer: number, n: number, field: string): TestRow {
  const value = BigInt(writer) * 1_000_000n + BigInt(n);
  return {
    tags: { writer: `w${writer}`, part: `p${n % 7}` },
    fields: { [field]: value, text: `w${writer}-n${n}` },
    timeNs: START_NS + BigInt(n) * 1_000_000n,
  };
}

function line(table: string, { tags, fields, timeNs }: TestRow): string {
  const values = Object.entries(fields).map(([name, value]) => (typeof value === 'string' ? `${name}="${value}"` : `${name}=${value}i`));
  return `${table},writer=${tags['writer']},part=${tags['part']} ${values.join(',')} ${timeNs}`;
}

interface Target {
  readonly database: string;
  readonly table: string;
  readonly field: string;
}

/** What each round of a test writes to, by writer. */
type Targets = (round: number, writer: number) => Target;

/** All writers at once, round after round; then every row is read back, here and after a restart. */
async function writeAndReadBack(
  t: { after(fn: () => Promise<void>): void },
  targets: Targets,
  rowsOf: (writer: number) => number,
): Promise<void> {
  const store = await TestWriteStore.open(await temporaryDirectory(t));
  const models = new Map<string, { readonly target: Target; readonly model: ModelTable }>();
  await store.write('db', 'begun v=1i 1');
  for (let round = 0; round < 4; round++) {
    const writes = Array.from({ length: WRITERS }, async (_, writer) => {
      const target = targets(round, writer);
      const rows = Array.from({ length: rowsOf(writer) }, (_row, i) => row(writer, round * 10_000 + i, target.field));
      await store.write(target.database, rows.map((each) => line(target.table, each)).join('\n'));
      const key = `${target.database} ${target.table}`;
      const known = models.get(key) ?? { target, model: new ModelTable() };
      models.set(key, known);
      for (const each of rows) known.model.write(each);
    });
    await Promise.all(writes);
  }
  const check = async (opened: TestWriteStore, when: string): Promise<void> => {
    for (const { target, model } of models.values()) {
      const found = (await opened.rows(target.database, target.table)).map(modelLine);
      const expected = model.lines();
      const [known, wanted] = [new Set(found), new Set(expected)];
      const missing = expected.filter((each) => !known.has(each));
      const wrong = found.filter((each) => !wanted.has(each));
      const message = `${target.database}.${target.table} ${when}: ${missing.length} missing, such as ${missing[0]}, ${wrong.length} wrong, such as ${wrong[0]}`;
      assert.ok(missing.length === 0 && wrong.length === 0 && found.length === expected.length, message);
    }
  };
  await check(store, 'live');
  await store.stop();
  const again = await TestWriteStore.open(store.directory);
  await check(again, 'after a restart');
  await again.stop();
}

for (const rows of [1, 300]) {
  test(`eight first writes of a table at once, ${rows} rows each, keep every row`, (t) =>
    writeAndReadBack(
      t,
      (round) => ({ database: 'db', table: `t${round}`, field: 'v' }),
      () => rows,
    ));
}

test('eight writers of different sizes, each with columns of its own in every round, keep every row', (t) =>
  writeAndReadBack(
    t,
    (round, writer) => ({ database: 'db', table: 'm', field: `v${round}_${writer}` }),
    (writer) => 1 + writer * 37,
  ));

test('eight first writes of a database at once keep every row', (t) =>
  writeAndReadBack(
    t,
    (round) => ({ database: `new${round}`, table: 'm', field: 'v' }),
    (writer) => 50 + writer,
  ));

test('writers of tables of their own, some new and some known, keep every row', (t) =>
  writeAndReadBack(
    t,
    (round, writer) => ({ database: 'db', table: `t${writer}_${writer % 2 === 0 ? round : 0}`, field: `v${writer % 3}` }),
    (writer) => 20 * (writer + 1),
  ));
