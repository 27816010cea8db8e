import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Engine } from '../../../src/duckdb/index.ts';
import { testEngine } from '../../support/engine.ts';
import { until } from '../../support/until.ts';

const LONG = 'SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b';

async function tableBytes(engine: Engine): Promise<number> {
  const connection = await engine.acquire();
  const reader = await connection.runAndReadAll("SELECT sum(memory_usage_bytes) FROM duckdb_memory() WHERE tag = 'IN_MEMORY_TABLE'");
  engine.release(connection);
  return Number(reader.getRows()[0]?.[0]);
}

test('a stream that was not read to its end keeps no table once its connection is given back', async (t) => {
  const { engine } = await testEngine(t);
  await engine.run('CREATE TABLE t AS SELECT i, md5(i::VARCHAR) AS s FROM range(500000) x(i)');
  assert.ok((await tableBytes(engine)) > 10_000_000);
  // The lower one of two idle connections: nobody else runs a statement on it soon.
  const [left, other] = await Promise.all([engine.acquire(), engine.acquire()]);
  const stream = await left.stream('SELECT * FROM t');
  assert.ok((await left.fetch(stream))?.rowCount);
  engine.release(left);
  engine.release(other);
  await engine.run('DROP TABLE t');
  await until(async () => ((await tableBytes(engine)) < 1_000_000 ? true : undefined));
});

test('an interrupt that comes after the release does not reach the next task of the connection', async (t) => {
  const { engine } = await testEngine(t);
  const first = await engine.acquire();
  await first.run('SELECT 1');
  engine.release(first);
  const second = await engine.acquire();
  const result = second.runAndReadAll('SELECT count(*) FROM range(20000000) a WHERE range % 7 = 0');
  for (let i = 0; i < 20; i++) {
    first.interrupt();
    await new Promise(setImmediate);
  }
  assert.deepEqual((await result).getRows(), [[2_857_143n]]);
  engine.release(second);
});

test('an interrupt reaches a statement that DuckDB has not begun yet, and none that comes later', { timeout: 300_000 }, async (t) => {
  const { engine } = await testEngine(t);
  const connection = await engine.acquire();
  connection.interrupt(); // nothing runs: it is gone
  for (const call of [() => connection.run(LONG), () => connection.stream(LONG), () => connection.runAndReadAll(LONG)]) {
    for (let turns = 0; turns < 8; turns++) {
      const ended = assert.rejects(call(), /[Ii]nterrupt/);
      for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
      connection.interrupt();
      await ended;
      assert.deepEqual((await connection.runAndReadAll('SELECT count(*) FROM range(3000000) WHERE range % 3 = 0')).getRows(), [
        [1_000_000n],
      ]);
    }
  }
  engine.release(connection);
});

test('an interrupt that comes between two calls of a task meets the next one', { timeout: 300_000 }, async (t) => {
  const { engine } = await testEngine(t);
  const connection = await engine.acquire();
  const task = connection.together(async () => {
    await connection.run('SELECT 1');
    connection.interrupt();
    await connection.run(LONG);
  });
  await assert.rejects(task, /[Ii]nterrupt/);
  assert.deepEqual((await connection.runAndReadAll('SELECT 1')).getRows(), [[1]]);
  engine.release(connection);
});

test('a connection that is given back while a statement runs serves nobody before that has ended', async (t) => {
  const { engine } = await testEngine(t);
  const busy = await engine.acquire();
  const ended = assert.rejects(busy.run(LONG), /[Ii]nterrupt/);
  engine.release(busy);
  for (let i = 0; i < 20; i++) await engine.run('SELECT 1'); // each would get the connection
  busy.interrupt();
  await ended;
  await engine.run('SELECT 1');
});

test('a failure that ends DuckDB is told once, ends what runs and refuses what comes', async (t) => {
  const { engine } = await testEngine(t);
  const told: string[] = [];
  engine.onFailure((failure) => told.push(failure.code));
  const running = await engine.acquire();
  const ended = assert.rejects(running.run(LONG), /[Ii]nterrupt/);
  const fatal = 'FATAL Error: Failed: database has been invalidated because of a previous fatal error.';
  engine.noticeFailure(new Error(fatal));
  engine.noticeFailure(new Error(fatal));
  await ended;
  engine.release(running);
  assert.deepEqual(told, ['ENGINE_RESTARTING']);
  await assert.rejects(engine.acquire(), { code: 'ENGINE_RESTARTING', status: 503 });
  await assert.rejects(engine.run('SELECT 1'), { code: 'ENGINE_RESTARTING' });
  assert.throws(() => engine.appender('t', ['integer']), { code: 'ENGINE_RESTARTING' });
});

test('the text of a user that looks like such a failure is none', async (t) => {
  const { engine } = await testEngine(t);
  const connection = await engine.acquire();
  const text = 'FATAL Error: INTERNAL Error: database has been invalidated';
  await assert.rejects(connection.run(`SELECT CAST('${text}' AS INTEGER)`), /Conversion Error/);
  engine.release(connection);
  for (let i = 0; i < 5; i++) await engine.run('SELECT 1');
  assert.equal(engine.failure, undefined);
});
