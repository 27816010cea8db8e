import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startServer, testDirectory } from '../support/server.ts';

test('a query that needs more memory than the engine may use fails alone, with a clear error', async (t) => {
  const server = await startServer(t, await testDirectory(t), {
    args: ['--exec-mem-pool-bytes', '10', '--force-snapshot-mem-threshold', '16'],
  });
  const lines = Array.from({ length: 3000 }, (_, i) => `m v=${i}i ${i}`).join('\n');
  await server.writeOk('db', lines);
  const [greedy, modest] = await Promise.all([
    server.sql('db', 'SELECT array_length(array_agg(a.v)) AS n FROM m a CROSS JOIN m b'),
    server.rows('db', 'SELECT sum(v) AS s FROM m'),
  ]);
  assert.equal(greedy.status, 500);
  assert.equal(await greedy.text(), 'Resources exhausted: the query needs more memory than the server allows');
  assert.deepEqual(modest, [{ s: 4_498_500 }]);
  await server.writeOk('db', 'm v=1i 5000');
  assert.deepEqual(await server.rows('db', 'SELECT count(*) AS n FROM m'), [{ n: 3001 }]);
});

const TOO_MUCH_MEMORY = 'Resources exhausted: the query needs more memory than the server allows';

/** Rows of 1 MB each that DuckDB does not count while it works on them. */
const ROWS_OF_A_MEGABYTE = `WITH RECURSIVE r(n, s) AS (
  SELECT 1, repeat('x', 1000000) UNION ALL SELECT n + 1, s || 'y' FROM r WHERE n < 20000)`;

/** Far less than what such a query takes when nobody ends it (4.7 GB), and more than the pool, its allowance and the program. */
const RESIDENT_BYTES_MAX = 2 * 1024 ** 3;

const hasProc = process.platform === 'linux';

for (const [name, rest] of [
  ['answers', 'SELECT n, s FROM r'],
  ['groups', 'SELECT n % 5000 AS k, max(s) AS m FROM r GROUP BY n % 5000 ORDER BY 1 LIMIT 1'],
] as const) {
  test(`a recursion that ${name} rows of a megabyte is ended before it takes much more than its pool, and others go on${hasProc ? '' : ' (skipped: needs /proc)'}`, {
    skip: !hasProc,
  }, async (t) => {
    const server = await startServer(t, await testDirectory(t), {
      args: ['--exec-mem-pool-bytes', '200', '--force-snapshot-mem-threshold', '16'],
    });
    await server.writeOk('db', Array.from({ length: 3000 }, (_, i) => `m,host=h${i % 10} v=${i}i,s="x${i}" ${i}`).join('\n'));
    let settled = false;
    const greedy = server.sql('db', `${ROWS_OF_A_MEGABYTE} ${rest}`).finally(() => {
      settled = true;
    });
    let answered = 0;
    let refused = 0;
    while (!settled) {
      const response = await server.sql('db', "SELECT upper(s) AS u FROM m WHERE s LIKE 'x7%'");
      if (response.status === 200) {
        assert.equal(((await response.json()) as unknown[]).length, 111);
        answered++;
        continue;
      }
      // While the recursion holds all that DuckDB may have, for however long, another query may find nothing left.
      assert.equal(await response.text(), TOO_MUCH_MEMORY);
      refused++;
    }
    assert.ok(answered > 0, `no other query was answered, ${refused} were refused`);
    const answer = await greedy;
    assert.equal(answer.status, 500);
    assert.equal(await answer.text(), TOO_MUCH_MEMORY);
    const peak = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.child.pid}/status`, 'latin1'));
    assert.ok(Number(peak?.[1]) * 1024 < RESIDENT_BYTES_MAX, `${peak?.[0]} at most`);
    await server.writeOk('db', 'm v=1i 5000');
  });
}
