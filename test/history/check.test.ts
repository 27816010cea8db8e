import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from './answers.ts';
import { slotTimeNs } from './bodies.ts';
import { checkRows, Fault, type FaultKind } from './check.ts';
import { Model, type Operation, type Request } from './model.ts';
import { Block, Database, stampOf, Table, writes } from './tables.ts';
import { type Cell, cellText, fieldName, STEP_NS, seriesName, writerName } from './values.ts';

const FIELDS = 5;
const SLOT = 29_000_000;

/** A table with one block of ten rows that was written, and overwritten in part. */
function history(): { model: Model; table: Table; block: Block } {
  const model = new Model();
  const table = new Table(new Database('db'), 't', SLOT);
  const block = new Block(table, 3, SLOT, 10, { series: 'few', seriesCount: 3, unique: '', extraTag: undefined });
  table.blocksOf(3).set(SLOT, block);
  add(model, block, { from: 0, to: 10, fields: 0b11111 });
  add(model, block, { from: 2, to: 5, fields: 0b00110 });
  return { model, table, block };
}

function add(model: Model, block: Block, what: Pick<Operation, 'from' | 'to' | 'fields'>): Request {
  const request = model.begin(block.writer, 0, 'plain');
  const number = block.operations.length + 1;
  const operation: Operation = { request, block, kind: 'write', number, sparse: false, twice: false, ...what };
  block.operations.push(operation);
  request.operations.push(operation);
  model.acknowledge(request);
  return request;
}

/** What a correct server answers after `state` operations. */
function answer(block: Block, state: number): { columns: string[]; rows: Cell[][] } {
  const columns = ['time', 'w', 's', ...Array.from({ length: FIELDS }, (_, field) => fieldName(field))];
  const rows = Array.from({ length: block.rows }, (_, row) => row)
    .filter((row) => block.hasRow(state, row))
    .map((row) => {
      const time = String(slotTimeNs(block.slot) + BigInt(row * STEP_NS));
      const cells = Array.from({ length: FIELDS }, (_, field) => {
        const operation = block.operations.slice(0, state).findLast((one) => writes(one, row, field));
        return operation === undefined ? undefined : cellText(stampOf(operation, row), field);
      });
      return [time, writerName(block.writer), seriesName(block.shape, row), ...cells];
    });
  return { columns, rows };
}

function check(table: Table, model: Model, found: Answer, askedAt = model.tick()): void {
  const scope = { table, writers: undefined, slotFrom: SLOT, slotTo: SLOT + 1 };
  checkRows(scope, { askedAt, answeredAt: model.tick(), askedMs: 0, answeredMs: 0 }, found);
}

test('the answer of a correct server is right, also while a request is under way', () => {
  const { model, table, block } = history();
  check(table, model, answer(block, 2));
  const askedAt = model.tick();
  add(model, block, { from: 0, to: 10, fields: 0b00001 });
  check(table, model, answer(block, 2), askedAt);
  check(table, model, answer(block, 3), askedAt);
  check(table, model, answer(block, 3));
});

const wrong: readonly [string, FaultKind, (found: { columns: string[]; rows: Cell[][] }) => void][] = [
  ['a row is missing', 'lost', ({ rows }) => rows.pop()],
  ['all rows are missing', 'lost', ({ rows }) => rows.splice(0)],
  ['a row comes twice', 'doubled', ({ rows }) => rows.push(rows[4] as Cell[])],
  ['a row has the values of another', 'changed', ({ rows }) => (rows[4] as Cell[]).splice(3, 5, ...(rows[5] as Cell[]).slice(3))],
  ['a row has the tag of another', 'changed', ({ rows }) => (rows[4] as Cell[]).splice(2, 1, 's0')],
  ['two columns are the other way round', 'changed', ({ columns }) => columns.splice(2, 2, 'i0', 's')],
  ['a value is missing', 'changed', ({ rows }) => (rows[9] as Cell[]).splice(4, 1, undefined)],
  ['a row of nobody is there', 'invented', ({ rows }) => rows.push([...(rows[4] as Cell[])].with(1, 'w4'))],
];

for (const [what, kind, spoil] of wrong) {
  test(`an answer is wrong when ${what}`, () => {
    const { model, table, block } = history();
    const found = answer(block, 2);
    spoil(found);
    assert.throws(
      () => check(table, model, found),
      (error) => error instanceof Fault && error.kind === kind && error.message !== '',
    );
  });
}

test('an answer is wrong when an acknowledged overwrite is not seen, or only in part', () => {
  const { model, table, block } = history();
  assert.throws(() => check(table, model, answer(block, 1)), { name: 'Fault', kind: 'changed' });
  const askedAt = model.tick();
  add(model, block, { from: 0, to: 10, fields: 0b00001 });
  const torn = answer(block, 2);
  torn.rows.splice(3, 7, ...answer(block, 3).rows.slice(3));
  assert.throws(() => check(table, model, torn, askedAt), { name: 'Fault', kind: 'changed' });
});
