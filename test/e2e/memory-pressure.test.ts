import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

/** More batches for a longer look: `PRESSURE_BATCHES=1000`. */
const BATCHES = Number(process.env['PRESSURE_BATCHES'] ?? 40);
const WRITERS = 4;
const READERS = 4;
const ROWS_PER_BATCH = 500;

/** DuckDB gets 64 MiB. Snapshots come every 300 ms, and no WAL file outlives the one that covers it. */
const ARGS = [
  ...['--exec-mem-pool-bytes', '10', '--force-snapshot-mem-threshold', '16'],
  ...['--wal-flush-interval', '100ms', '--wal-snapshot-size', '3', '--snapshotted-wal-files-to-keep', '0'],
];

/** Every value of a row can be told from its number. */
const textOf = (n: number): string => `the text of row ${n} `.repeat(12);

function batchLines(batch: number): string {
  return Array.from({ length: ROWS_PER_BATCH }, (_, i) => {
    const n = batch * ROWS_PER_BATCH + i;
    return `m,host=h${n % 50},rack=r${n % 7} n=${n}i,half=${n / 2},text="${textOf(n)}" ${1_700_000_000_000 + n * 20}`;
  }).join('\n');
}

/** Asks for more memory than there is, again and again. Returns how often that was refused. */
async function hog(server: TestServer, stopped: () => boolean): Promise<number> {
  let refused = 0;
  while (!stopped()) {
    const response = await server.sql('db', 'SELECT array_length(array_agg(a.v)) AS n FROM small a CROSS JOIN small b');
    await response.arrayBuffer();
    if (response.status !== 200) refused++;
  }
  return refused;
}

/** Writes batches until there are none; one that is refused for the time being is sent again. */
async function writeBatches(server: TestServer, next: () => number | undefined): Promise<void> {
  for (let batch = next(); batch !== undefined; batch = next()) {
    const lines = batchLines(batch);
    await until(async () => {
      const response = await server.write('db', lines, '&precision=millisecond');
      const text = await response.text();
      if (response.status === 204) return true;
      assert.equal(response.status, 503, text);
      return undefined;
    });
  }
}

/** Every acknowledged row is there once, with its own values. */
async function verify(server: TestServer, when: string): Promise<void> {
  const found = await until(() => server.rows('db', 'SELECT n, host, rack, half, text, time FROM m ORDER BY n'));
  assert.equal(found.length, BATCHES * ROWS_PER_BATCH, when);
  found.forEach((row, n) => {
    const expected = { n, host: `h${n % 50}`, rack: `r${n % 7}`, half: n / 2, text: textOf(n), time: 1_700_000_000_000 + n * 20 };
    assert.deepEqual({ ...row, time: Date.parse(`${row['time']}Z`) }, expected, `${when}: row ${n}`);
  });
}

test('acknowledged rows are there once when queries take all memory beside writes and snapshots', async (t) => {
  const directory = await testDirectory(t);
  const server = await startServer(t, directory, { args: ARGS });
  await server.writeOk('db', Array.from({ length: 3000 }, (_, i) => `small v=${i}i ${i}`).join('\n'));
  let written = 0;
  const next = (): number | undefined => (written < BATCHES ? written++ : undefined);
  let done = false;
  const hogs = Array.from({ length: READERS }, () => hog(server, () => done));
  try {
    await Promise.all(Array.from({ length: WRITERS }, () => writeBatches(server, next)));
  } finally {
    done = true;
  }
  const refused = (await Promise.all(hogs)).reduce((a, b) => a + b, 0);
  assert.ok(refused > 0, 'no query ran out of memory');
  t.diagnostic(`${refused} queries refused, ${BATCHES * ROWS_PER_BATCH} rows acknowledged`);
  await verify(server, 'before the kill');
  await server.kill('SIGKILL');
  await verify(await startServer(t, directory), 'after a start with more memory');
});
