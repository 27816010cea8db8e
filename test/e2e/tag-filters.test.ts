import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer, testDirectory } from '../support/server.ts';

const T = { a: 't.a', b: 't.b' };

/** Conditions with tags `a` and `b`; `p` turns a tag into an expression that means the same but is no plain column. */
const conditions: readonly ((tag: Record<keyof typeof T, string>) => string)[] = [
  ({ a }) => `${a} = 'x'`,
  ({ a }) => `'x' = ${a}`,
  ({ a }) => `${a} = 'it''s'`,
  ({ a }) => `${a} = 'é,= '`,
  ({ a }) => `${a} = 'nobody'`,
  ({ a }) => `${a} = ''`,
  ({ a }) => `NOT (${a} = 'x')`,
  ({ a }) => `${a} != 'x'`,
  ({ a }) => `${a} IN ('x', 'y', 'nobody')`,
  ({ a }) => `${a} NOT IN ('x', 'y')`,
  ({ a }) => `${a} = 'x' OR ${a} = 'z'`,
  ({ a, b }) => `${a} = 'x' OR ${b} = '1'`,
  ({ a, b }) => `${a} = 'x' AND ${b} = '1'`,
  ({ a, b }) => `${a} IN ('x', 'y') AND ${b} IN ('1', '2') AND ${a} = 'y'`,
  ({ a }) => `${a} = 'x' AND ${a} = 'y'`,
  ({ a }) => `(${a} = 'x' AND v > 1) OR (${a} = 'y' AND v < 100)`,
  ({ a }) => `${a} = 'x' AND time >= '1970-01-01T00:00:00.000000002Z'`,
  ({ a, b }) => `${a} = 'x' IS NOT TRUE OR ${b} IS NULL`,
];

const shapes = [
  (where: string) => `SELECT a, b, v, w, time FROM t WHERE ${where} ORDER BY time, a, b`,
  (where: string) => `SELECT count(*) AS n, sum(v) AS s FROM t WHERE ${where}`,
  (where: string) => `SELECT b, max(v) AS m FROM t WHERE ${where} GROUP BY b ORDER BY b`,
  (where: string) =>
    `SELECT t.v, o.v AS other FROM t JOIN t AS o ON t.time = o.time AND t.a = o.a WHERE ${where.replaceAll(/\b(v|time) /g, 't.$1 ')} ORDER BY t.v, other`,
  (where: string) =>
    `SELECT o.a, t.a AS left_a FROM t AS o LEFT JOIN t ON t.time = o.time AND (${where.replaceAll(/\b(v|time) /g, 't.$1 ')}) ORDER BY o.a, left_a, o.time`,
];

test('filters on tags give the same rows whatever way they are found: buffer, files, both, rewritten points', async (t) => {
  const server = await startServer(t, await testDirectory(t), { args: ['--wal-flush-interval', '5ms', '--wal-snapshot-size', '1'] });
  const tags = ['a=x,b=1', 'a=x,b=2', 'a=y,b=1', 'a=z', 'b=2', "a=it's,b=1", 'a=é\\,\\=\\ ,b=3', 'b=1'];
  const lines = (field: string, first: number): string => tags.map((tag, i) => `t,${tag} ${field}=${first + i}i ${i + 1}`).join('\n');
  await server.writeOk('db', `t,a=first v=0i,w=0i 0\n${lines('v', 1)}`);
  let round = 0;
  /** Every other pair of a condition and a shape, so that two checks that follow each other see all of them. */
  const check = async (when: string): Promise<void> => {
    let pair = round++;
    for (const condition of conditions) {
      const plain = condition(T);
      const hidden = condition({ a: "(t.a || '')", b: "(t.b || '')" });
      for (const shape of shapes) {
        if (pair++ % 2 === 0) continue;
        assert.deepEqual(await server.rows('db', shape(plain)), await server.rows('db', shape(hidden)), `${when}: ${shape(plain)}`);
      }
    }
  };
  await check('buffer');
  await server.writeOk('db', lines('w', 100));
  await check('rewritten in the buffer');
  // Later times push the first rows into files.
  for (
    let minute = 20;
    (await server.rows('db', "SELECT path FROM system.parquet_files WHERE table_name = 't'")).length === 0;
    minute += 20
  ) {
    await server.writeOk('db', `t,a=x,b=9 v=${minute}i ${BigInt(minute) * 60_000_000_000n}`);
  }
  await check('files and buffer');
  await server.writeOk('db', lines('v', 50));
  await check('files rewritten by the buffer');
});
