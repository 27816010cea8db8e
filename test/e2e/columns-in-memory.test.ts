import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { sharedServer, type TestServer } from '../support/server.ts';

/** Of each test a database of its own. */
let db = '';
let number = 0;
beforeEach(() => {
  db = `db${number++}`;
});

/** Two servers with the same rows; only the first keeps columns in memory. */
class Pair {
  readonly #servers: readonly [TestServer, TestServer];

  private constructor(servers: readonly [TestServer, TestServer]) {
    this.#servers = servers;
  }

  /** Two servers for all tests that ask for a pair like this. */
  static shared(args: readonly string[] = []): () => Promise<Pair> {
    const servers = [sharedServer({ args }), sharedServer({ args: [...args, '--disable-parquet-mem-cache'] })];
    return async () => new Pair((await Promise.all(servers.map((server) => server()))) as unknown as [TestServer, TestServer]);
  }

  /** The one that keeps columns in memory. */
  get first(): TestServer {
    return this.#servers[0];
  }

  async write(lines: readonly string[]): Promise<void> {
    for (const server of this.#servers) await server.writeOk(db, lines.join('\n'), '&precision=ns');
  }

  async each(run: (server: TestServer) => Promise<void>): Promise<void> {
    for (const server of this.#servers) await run(server);
  }

  /** Asks often enough for columns to be loaded and used; every answer must be that of DuckDB. */
  async ask(statements: readonly string[], times = 2): Promise<void> {
    for (const statement of statements) {
      const expected = sortedUnlessOrdered(statement, await this.#servers[1].rows(db, statement));
      for (let i = 0; i < times; i++) {
        const found = sortedUnlessOrdered(statement, await this.#servers[0].rows(db, statement));
        assertSameRows(found, expected, statement);
      }
    }
  }

  /** Files and buffers that were answered from memory so far. */
  async hits(): Promise<number> {
    const metrics = await (await fetch(`${this.#servers[0].url}/metrics`)).text();
    return Number(/influxdb3_parquet_cache_access_total\{status="cached"\} (\d+)/.exec(metrics)?.[1] ?? Number.NaN);
  }

  async files(): Promise<number> {
    const [row] = await this.#servers[0].rows(db, "SELECT count(*) AS n FROM system.parquet_files WHERE table_name = 'cpu'");
    return Number(row?.['n']);
  }
}

type Rows = readonly Record<string, unknown>[];

function sortedUnlessOrdered(statement: string, rows: Rows): Rows {
  if (statement.includes('ORDER BY') && !statement.includes('OVER')) return rows;
  const texts = new Map(rows.map((row) => [row, JSON.stringify(row)]));
  return [...rows].sort((a, b) => ((texts.get(a) as string) < (texts.get(b) as string) ? -1 : 1));
}

/** Sums of doubles depend on the order of the rows: they may differ in the last digits. */
function assertSameRows(found: Rows, expected: Rows, statement: string): void {
  assert.equal(found.length, expected.length, statement);
  found.forEach((row, i) => {
    const other = expected[i] ?? {};
    assert.deepEqual(Object.keys(row), Object.keys(other), statement);
    for (const [name, value] of Object.entries(row)) {
      const wanted = other[name];
      if (typeof value === 'number' && typeof wanted === 'number') {
        assert.ok(Math.abs(value - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)), `${statement}: ${name} is ${value}, not ${wanted}`);
      } else assert.deepEqual(value, wanted, `${statement}: ${name}`);
    }
  });
}

const START = 1_704_067_200;

/** Rows of hosts, each `stepSecs`: some lack the tag `zone`, some a field. */
function lines(from: number, count: number, stepSecs = 10): string[] {
  return Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const host = n % 7;
    const zone = host % 3 === 0 ? '' : `,zone=z${host % 2}`;
    const float = n % 5 === 0 ? '' : `,f=${((n * 7919) % 1000) / 10 - 50}`;
    const unsigned = n % 4 === 0 ? '' : `,u=${n % 100}u`;
    const time = BigInt(START + Math.floor(n / 7) * stepSecs) * 1_000_000_000n + BigInt(n % 3);
    return `cpu,host=h${host}${zone} i=${((n * 31) % 200) - 100}i${float}${unsigned},s="t${n % 3}",b=${n % 2 === 0} ${time}`;
  });
}

const bound = (minutes: number): string => `'${new Date((START + minutes * 60) * 1000).toISOString()}'`;

const plain = Pair.shared();
const restless = Pair.shared(['--wal-snapshot-size', '1', '--wal-flush-interval', '20ms', '--gen1-duration', '1m']);

const STATEMENTS = [
  'SELECT host, zone, time, f, i, u FROM cpu',
  'SELECT time, u, host AS h FROM cpu WHERE f > 30 AND u < 50',
  'SELECT zone, host, i, host AS again FROM cpu WHERE i > 97',
  `SELECT host, f FROM cpu WHERE zone = 'z1' AND time >= ${bound(1)} AND time < ${bound(4)} AND i < 0`,
  'SELECT count(*) AS n FROM cpu',
  'SELECT count(f) AS n, count(u) AS u, sum(i) AS si, sum(u) AS su, min(f) AS mf, max(i) AS xi, mean(f) AS a FROM cpu',
  "SELECT count(*), avg(i) FROM cpu WHERE host = 'nobody'",
  `SELECT count(*) AS n FROM cpu WHERE time >= ${bound(3)} AND time < ${bound(9)}`,
  `SELECT max(f) AS m FROM cpu WHERE time > ${bound(3)} AND time <= ${bound(3)}`,
  `SELECT date_bin(INTERVAL '1 minute', time) AS t, max(f) AS m FROM cpu WHERE host = 'h1' AND time >= ${bound(2)} GROUP BY t ORDER BY t`,
  `SELECT date_bin(INTERVAL '7 minutes', time, TIMESTAMP '2024-01-01T00:03:00Z') AS t, host, sum(i), avg(f) FROM cpu GROUP BY t, host ORDER BY t, host`,
  `SELECT host, date_bin(INTERVAL '5 minutes', time) AS t, count(f) AS n, min(u) AS m FROM cpu GROUP BY host, t ORDER BY host DESC, t DESC`,
  'SELECT zone, count(*) AS n, max(i) AS m FROM cpu GROUP BY zone ORDER BY zone',
  'SELECT zone, count(*) AS n FROM cpu GROUP BY zone ORDER BY zone DESC',
  'SELECT zone, host, sum(f) AS s FROM cpu GROUP BY zone, host ORDER BY s DESC NULLS LAST, host',
  "SELECT host, max(i) AS m FROM cpu WHERE host IN ('h1', 'h4', 'none') AND zone = 'z1' GROUP BY host ORDER BY host",
  "SELECT host, max(i) AS m FROM cpu WHERE host = 'h2' OR host = 'h5' GROUP BY host ORDER BY host",
  'SELECT host, count(*) AS n FROM cpu WHERE f > 10 AND i <= 40 GROUP BY host ORDER BY host',
  'SELECT count(*) AS n FROM cpu WHERE u BETWEEN 10 AND 50 AND i != 3',
  `SELECT date_bin(INTERVAL '1 minute', time) AS t, max(i) AS m FROM cpu GROUP BY t ORDER BY t DESC LIMIT 4 OFFSET 1`,
  'SELECT host, f, i, time FROM (SELECT *, row_number() OVER (PARTITION BY host ORDER BY time DESC) AS rn FROM cpu) AS x WHERE rn = 1',
  'SELECT zone, host, u FROM (SELECT *, row_number() OVER (PARTITION BY host, zone ORDER BY time) AS rn FROM cpu) AS x WHERE rn = 1',
  `SELECT host, i, time FROM (SELECT *, row_number() OVER (PARTITION BY host ORDER BY time DESC) AS rn FROM cpu WHERE f > 5 AND time < ${bound(6)}) AS x WHERE rn = 1`,
];

test('questions answered from columns in memory have the answers of DuckDB: buffered rows, and rows that come meanwhile', async () => {
  const pair = await plain();
  await pair.write(lines(0, 700));
  await pair.ask(STATEMENTS);
  const before = await pair.hits();
  assert.ok(before > 0);
  for (let round = 1; round <= 2; round++) {
    await pair.write(lines(700 * round, 700));
    await pair.ask(STATEMENTS, 1);
  }
  assert.ok((await pair.hits()) >= before + STATEMENTS.length * 2, 'rows that come later are followed, not read again');
});

test('questions answered from columns in memory have the answers of DuckDB: files, and files with buffered rows', async () => {
  const pair = await restless();
  for (let i = 0; i < 4; i++) await pair.write(lines(i * 350, 350));
  // A snapshot begins with the write after it became due.
  for (let i = 0; (await pair.files()) < 3; i++) {
    assert.ok(i < 400, 'no files come');
    await pair.write(lines(1400 + i, 1));
    await new Promise((done) => setTimeout(done, 50));
  }
  await pair.ask(STATEMENTS);
  await pair.write(lines(2000, 350));
  await pair.ask(STATEMENTS);
  assert.ok((await pair.hits()) > 0);
});

test('columns in memory know repeated keys, deleted rows and new columns', async () => {
  const pair = await plain();
  await pair.write(lines(0, 1000));
  await pair.ask(STATEMENTS);
  // The same keys again: the newest values win.
  await pair.write(lines(300, 200).map((line) => line.replace(/ i=-?\d+i/, ' i=99i')));
  await pair.ask(STATEMENTS);
  await pair.write(['cpu,host=new,rack=r1 i=5i,extra=2.5 1704080000000000000', ...lines(1000, 100)]);
  await pair.ask([
    ...STATEMENTS,
    'SELECT rack, count(*) AS n, max(extra) AS m FROM cpu GROUP BY rack ORDER BY rack',
    "SELECT count(extra) AS n FROM cpu WHERE rack = 'r1'",
  ]);
  await pair.each(async (server) => {
    const body = { start: '2024-01-01T00:02:00Z', stop: '2024-01-01T00:04:00Z', predicate: 'host="h1"' };
    const response = await fetch(`${server.url}/api/v2/delete?bucket=${db}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(response.status, 204, await response.text());
  });
  await pair.ask(STATEMENTS);
});

test('columns in memory are exact where doubles are not: large integers, sums, times far apart', async () => {
  const pair = await plain();
  await pair.write([
    'big,k=a v=9007199254740993i,w=9007199254740991i,f=1e308 1',
    'big,k=a v=-9007199254740995i,w=9007199254740991i,f=-1e308 9000000000000000001',
    'big,k=b v=1i,w=1i,f=0.1 4500000000000000000',
  ]);
  await pair.ask([
    'SELECT max(v) AS m, min(v) AS n FROM big',
    'SELECT sum(w) AS s, avg(w) AS a FROM big',
    'SELECT k, max(w) AS m, max(f) AS f FROM big GROUP BY k ORDER BY k',
    "SELECT date_bin(INTERVAL '1 hour', time) AS t, count(*) AS n FROM big GROUP BY t ORDER BY t",
    'SELECT k, w, time FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY time DESC) AS rn FROM big) AS x WHERE rn = 1',
    'SELECT count(*) AS n FROM big WHERE v > 9007199254740992',
  ]);
});

test('rows in any order may be limited: as many as there are, at most as many as were asked for, all of them rows that meet the condition', async () => {
  const server = (await plain()).first;
  await server.writeOk(db, lines(0, 5000).join('\n'), '&precision=ns');
  const all = new Set((await server.rows(db, 'SELECT host, time, i FROM cpu WHERE i > 90')).map((row) => JSON.stringify(row)));
  for (const [limit, offset] of [
    [1, 0],
    [7, 3],
    [0, 2],
    [all.size, 0],
    [all.size + 5, 0],
    [10, all.size - 4],
    [3, all.size],
  ] as const) {
    const rows = await server.rows(db, `SELECT host, time, i FROM cpu WHERE i > 90 LIMIT ${limit} OFFSET ${offset}`);
    assert.equal(rows.length, Math.max(0, Math.min(limit, all.size - offset)), `LIMIT ${limit} OFFSET ${offset}`);
    assert.equal(new Set(rows.map((row) => JSON.stringify(row))).size, rows.length);
    assert.ok(rows.every((row) => all.has(JSON.stringify(row))));
  }
});
