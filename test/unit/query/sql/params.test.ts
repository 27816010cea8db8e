import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { TestEngine } from './support.ts';

describe('parameters', () => {
  let engine: TestEngine;
  before(async () => {
    engine = await TestEngine.open();
  });

  test('keep their types', async () => {
    assert.equal(await engine.value('arrow_typeof($p)', { p: { kind: 'uint64', value: 5n } }), 'UInt64');
    assert.equal(await engine.value('arrow_typeof($p)', { p: { kind: 'int64', value: -5n } }), 'Int64');
    assert.equal(await engine.value('arrow_typeof($p)', { p: { kind: 'float64', value: 0.5 } }), 'Float64');
    assert.equal(await engine.value('arrow_typeof($p)', { p: { kind: 'string', value: 'x' } }), 'Utf8');
    assert.equal(await engine.value('$p', { p: { kind: 'uint64', value: 18_446_744_073_709_551_615n } }), '18446744073709551615');
    assert.equal(await engine.value('$p', { p: { kind: 'null' } }), null);
    assert.equal(await engine.value('NOT $p', { p: { kind: 'boolean', value: true } }), false);
  });

  test('stand wherever an expression stands, LIMIT and OFFSET included', async () => {
    const params = { room: { kind: 'string', value: 'Kitchen' }, n: { kind: 'uint64', value: 2n } } as const;
    assert.deepEqual(
      await engine.column('SELECT temp FROM home WHERE room = $room ORDER BY time LIMIT $n OFFSET $n', params),
      [22.7, 22.4],
    );
  });

  test('are parsed as timestamps against time, and as numbers they do not fit', async () => {
    const rows = await engine.column('SELECT count(*) FROM home WHERE time >= $t', {
      t: { kind: 'string', value: '2022-01-01T20:00:00Z' },
    });
    assert.deepEqual(rows, [2]);
    assert.equal(
      (await engine.failure('SELECT * FROM home WHERE time >= $t', { t: { kind: 'uint64', value: 1n } })).message,
      'type_coercion\ncaused by\nError during planning: Cannot infer common argument type for comparison operation Timestamp(ns) >= UInt64',
    );
  });

  test('inside a string literal they are text', async () => {
    assert.equal(await engine.value("'$p'", {}), '$p');
  });

  test('missing ones are reported after missing tables', async () => {
    assert.deepEqual(await engine.failure('SELECT $p'), {
      status: 400,
      message: 'Error during planning: No value found for placeholder with name $p',
    });
    assert.equal((await engine.failure('SELECT $p FROM nope')).message, "Error during planning: table 'public.iox.nope' not found");
    assert.equal(
      (await engine.failure('SELECT $p', { $p: { kind: 'null' } })).message,
      'Error during planning: No value found for placeholder with name $p',
    );
  });

  test('a signed integer divided by an unsigned parameter keeps four decimals', async () => {
    assert.equal(await engine.value('1 / $p', { p: { kind: 'uint64', value: 3n } }), '0.3333');
  });
});
