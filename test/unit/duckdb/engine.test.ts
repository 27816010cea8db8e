import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { testEngine } from '../../support/engine.ts';

test('closing ends statements that run, and their threads are free again', { timeout: 300_000 }, async (t) => {
  const { engine } = await testEngine(t);
  const connections = await Promise.all(Array.from({ length: 4 }, () => engine.acquire()));
  const statements = connections.map((connection) =>
    connection.run('SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b'),
  );
  const ended = Promise.all(statements.map((statement) => assert.rejects(statement, /[Ii]nterrupt/)));
  await delay(100); // they run by now
  engine.close();
  await ended;
  for (const connection of connections) engine.release(connection);
  await assert.rejects(engine.acquire());
});

test('a connection that is made while DuckDB is closed serves nobody', async (t) => {
  const { engine } = await testEngine(t);
  const leased = await Promise.all(Array.from({ length: 16 }, () => engine.acquire()));
  const late = engine.acquire();
  engine.close();
  await assert.rejects(late, /closed/i);
  for (const connection of leased) engine.release(connection);
});

test('connections for sixteen tasks make streamed rows ahead by their share of the memory, and nobody can change that', async (t) => {
  const { engine } = await testEngine(t);
  const expected = Math.min(8 * 1024 * 1024, engine.memoryLimitBytes / 64);
  const connections = await Promise.all(Array.from({ length: 16 }, () => engine.acquire()));
  for (const connection of connections) {
    const reader = await connection.runAndReadAll("SELECT current_setting('streaming_buffer_size')");
    assert.equal(reader.getRows()[0]?.[0], `${(expected / 1024 / 1024).toFixed(1)} MiB`);
    await assert.rejects(connection.run("SET SESSION streaming_buffer_size = '1GB'"), /locked/);
  }
  for (const connection of connections) engine.release(connection);
});
