import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer, testDirectory } from '../support/server.ts';

/** Rows of each table in one write: enough that moving them into DuckDB takes a while. */
const ROWS = 2_000;
const QUESTIONS = 60;

test('a statement sees all of its tables at the same moment, whatever is written meanwhile', async (t) => {
  const server = await startServer(t, await testDirectory(t));
  const body = (number: number): string =>
    ['a', 'b', 'c']
      .flatMap((table) => Array.from({ length: ROWS }, (_, row) => `${table},k=${row % 7} v=${number}i ${number * ROWS + row + 1}`))
      .join('\n');
  await server.writeOk('db', body(0));
  let asking = true;
  const writing = (async () => {
    let number = 1;
    for (; asking; number++) await server.writeOk('db', body(number));
    return number;
  })();
  try {
    for (let question = 0; question < QUESTIONS; question++) {
      // Sums over expressions, so that DuckDB answers.
      const [row] = await server.rows(
        'db',
        'SELECT (SELECT sum(v * 0 + 1) FROM a) AS a, (SELECT sum(v * 0 + 1) FROM b) AS b, (SELECT sum(v * 0 + 1) FROM c) AS c',
      );
      assert.deepEqual([row?.['b'], row?.['c']], [row?.['a'], row?.['a']]);
    }
  } finally {
    asking = false;
  }
  const writes = await writing;
  assert.deepEqual(await server.rows('db', 'SELECT count(*) AS n FROM c'), [{ n: writes * ROWS }]);
});
