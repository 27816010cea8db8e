import assert from 'node:assert/strict';
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
