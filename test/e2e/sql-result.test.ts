import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

let server: TestServer;
const endings: (() => Promise<void>)[] = [];
const suite = { after: (end: () => Promise<void>) => void endings.push(end) };

async function sql(q: string, format = 'csv', db = 'db'): Promise<Answer> {
  const response = await server.sql(db, q, format);
  return { status: response.status, body: await response.text() };
}

async function write(lines: string, db = 'db'): Promise<void> {
  await server.writeOk(db, lines, '&precision=nanosecond');
}

const hash = (algorithm: string, text: string): Buffer => createHash(algorithm).update(text).digest();

before(async () => {
  server = await startServer(suite, await testDirectory(suite));
  await write('t,host=a s="",v=1i 1\nt,host=ä s="abc",v=2i 2\nt,host=a v=3i 3');
});

after(async () => {
  for (const end of endings.reverse()) await end();
});

describe('digests of columns', () => {
  const algorithms: readonly (readonly [string, string])[] = [
    ['sha224(%)', 'sha224'],
    ['sha256(%)', 'sha256'],
    ['sha384(%)', 'sha384'],
    ['sha512(%)', 'sha512'],
    ["digest(%, 'md5')", 'md5'],
    ["digest(%, 'sha512')", 'sha512'],
    ["digest(%, 'BLAKE2b')", 'blake2b512'],
    ["digest(%, 'blake2s')", 'blake2s256'],
  ];
  for (const [call, algorithm] of algorithms) {
    it(`${call} of texts, empty texts and null`, async () => {
      const of = (column: string): string => call.replace('%', column);
      const found = await sql(`SELECT ${of('s')} AS x, ${of('host')} AS y FROM t ORDER BY time`);
      const hex = (text: string): string => hash(algorithm, text).toString('hex');
      assert.deepEqual(found, { status: 200, body: `x,y\n${hex('')},${hex('a')}\n${hex('abc')},${hex('ä')}\n,${hex('a')}\n` });
      const encoded = await sql(`SELECT encode(${of('host')}, 'base64') AS x, encode(${of('host')}, 'hex') AS y FROM t WHERE v = 2`);
      assert.equal(encoded.body, `x,y\n${hash(algorithm, 'ä').toString('base64').replace(/=+$/, '')},${hex('ä')}\n`);
    });
  }

  it('other values are digested as their texts, and expressions and groups too', async () => {
    const hex = (text: string): string => hash('sha512', text).toString('hex');
    assert.equal((await sql('SELECT sha512(v) AS x FROM t WHERE v = 3')).body, `x\n${hex('3')}\n`);
    assert.equal(
      (await sql("SELECT sha512(host || '!') AS x, sum(v) AS n FROM t GROUP BY host || '!' ORDER BY n LIMIT 1")).body,
      `x,n\n${hex('ä!')},2\n`,
    );
    assert.equal((await sql('SELECT sha512(max(host)) AS x FROM t')).body, `x\n${hex('ä')}\n`);
    assert.equal((await sql('SELECT sha512(host) FROM t WHERE v = 3', 'json')).body, `[{"sha512(t.host)":"${hex('a')}"}]`);
    assert.match((await sql('DESCRIBE SELECT sha512(host) AS x FROM t')).body, /x,Binary,YES/);
    assert.equal((await sql('SELECT x FROM (SELECT host AS x FROM t) AS q WHERE false AND sha256(x) IS NOT NULL')).status, 200);
  });

  it('a hundred thousand rows, and long texts', async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `many s="${i}" ${i}`);
    await write(lines.join('\n'), 'many');
    const { body } = await sql('SELECT sha384(s) AS x FROM many', 'csv', 'many');
    const wanted = new Set(lines.map((_, i) => hash('sha384', String(i)).toString('hex')));
    const got = body.trimEnd().split('\n').slice(1);
    assert.equal(got.length, 100_000);
    assert.deepEqual(new Set(got), wanted);
    await write(`long s="${'abc'.repeat(300_000)}" 1`, 'many');
    const long = await sql('SELECT sha512(s) AS x FROM long', 'csv', 'many');
    assert.equal(long.body, `x\n${hash('sha512', 'abc'.repeat(300_000)).toString('hex')}\n`);
  });

  const elsewhere: readonly string[] = [
    "SELECT host FROM t WHERE sha512(host) = X'00'",
    'SELECT sha512(host) FROM t ORDER BY 1',
    'SELECT sha512(host) AS x FROM t ORDER BY x',
    'SELECT sha512(host) AS x FROM t ORDER BY sha512(host)',
    "SELECT sha512(host) AS x FROM t ORDER BY encode(x, 'hex')",
    'SELECT sha512(host) AS x FROM t ORDER BY CASE WHEN x IS NULL THEN 1 ELSE 2 END, x',
    'SELECT DISTINCT sha512(host) FROM t',
    'SELECT count(v) FROM t GROUP BY sha512(host)',
    'SELECT sha512(host) AS x, count(v) FROM t GROUP BY 1',
    'SELECT sha512(host) AS x FROM t UNION ALL SELECT host FROM t',
    'SELECT x FROM (SELECT sha512(host) AS x FROM t) AS q',
    'WITH q AS (SELECT sha512(host) AS x FROM t) SELECT x FROM q',
    'SELECT (SELECT sha512(host) FROM t LIMIT 1)',
    'SELECT sha512(host) AS x FROM t QUALIFY x IS NULL',
    "SELECT concat(sha512(host), 'x') FROM t",
    '(SELECT sha512(host) AS x FROM t) ORDER BY x',
  ];
  for (const statement of elsewhere) {
    it(`${statement} says what is missing`, async () => {
      const { status, body } = await sql(statement);
      assert.match(body, /^This feature is not implemented: sha512 of a value that is not a constant/);
      assert.equal(status, 405);
    });
  }

  it('there is no Parquet file of them', async () => {
    const { status, body } = await sql('SELECT sha512(host) FROM t', 'parquet');
    assert.deepEqual(
      { status, body },
      { status: 405, body: 'This feature is not implemented: sha512 of a value that is not a constant, in a Parquet file' },
    );
  });
});

describe('integers that pass the bounds of their type wrap', () => {
  const min = '-9223372036854775808';
  const max = '9223372036854775807';
  const unsignedMax = '18446744073709551615';

  before(async () => {
    await write(`n,k=a i=${max}i,u=${unsignedMax}u,j=2i,s="x" 1\nn,k=b i=${min}i,u=0u,j=-1i,s="y" 2`);
  });

  const cases: readonly (readonly [string, string])[] = [
    ["SELECT i + 1 AS x FROM n WHERE k = 'a'", min],
    ["SELECT i - 1 AS x FROM n WHERE k = 'b'", max],
    ["SELECT i * 2 AS x FROM n WHERE k = 'a'", '-2'],
    ["SELECT i * i AS x FROM n WHERE k = 'b'", '0'],
    ["SELECT i * j AS x FROM n WHERE k = 'b'", min],
    ["SELECT -i AS x FROM n WHERE k = 'b'", min],
    ["SELECT u + u AS x FROM n WHERE k = 'a'", '18446744073709551614'],
    ["SELECT u * u AS x FROM n WHERE k = 'a'", '1'],
    ["SELECT u - arrow_cast(1, 'UInt64') AS x FROM n WHERE k = 'b'", unsignedMax],
    ["SELECT (i + 1) / 2 AS x FROM n WHERE k = 'a'", '-4611686018427387904'],
    ["SELECT k AS x FROM n WHERE i + j < 0 AND k = 'a'", 'a'],
    ["SELECT sum(i) AS x FROM (SELECT i FROM n WHERE k = 'a' UNION ALL SELECT i FROM n WHERE k = 'a') AS q", '-2'],
    [
      "SELECT sum(i) OVER (ORDER BY i) AS x FROM (SELECT i FROM n WHERE k = 'a' UNION ALL SELECT i FROM n WHERE k = 'a') AS q LIMIT 1",
      '-2',
    ],
    ['SELECT max(i * 2) AS x FROM n GROUP BY k ORDER BY k LIMIT 1', '-2'],
    ["WITH q AS (SELECT i + 1 AS y FROM n WHERE k = 'a') SELECT y - 1 AS x FROM q", max],
    ['SELECT difference(i) OVER (ORDER BY time) AS x FROM n ORDER BY time DESC LIMIT 1', '1'],
    ["SELECT CAST(i AS INT) AS x FROM n WHERE k = 'none'", ''],
  ];
  for (const [statement, expected] of cases) {
    it(statement, async () => {
      assert.deepEqual(await sql(statement), { status: 200, body: expected === '' ? '' : `x\n${expected}\n` });
    });
  }

  it('nothing else starts a second run, and the query log has one row for each query', async () => {
    assert.equal((await sql("SELECT CAST(i AS INT) AS x FROM n WHERE k = 'a'")).status, 500);
    assert.equal((await sql("SELECT i / (j - 2) AS x FROM n WHERE k = 'a'")).body, 'Arrow error: Divide by zero error');
    assert.deepEqual(await sql("SELECT i + 1 AS x, i / (j - 2) AS y FROM n WHERE k = 'a'"), {
      status: 500,
      body: 'Arrow error: Divide by zero error',
    });
    await sql("SELECT i + 7 AS x FROM n WHERE k = 'a'");
    const logged = await sql("SELECT count(*) AS n, max(phase) AS p FROM system.queries WHERE query_text LIKE 'SELECT i + 7%'");
    assert.equal(logged.body, 'n,p\n1,success\n');
  });

  it('bins that begin before all time are told, and other bins are the same when they are computed exactly', async () => {
    const ask = (q: string): Promise<Answer> => sql(q, 'csv', 'bins');
    const [least, greatest] = ['-9223372036854775806', '9220000000000000000'];
    const times = [least, greatest, '-1', '1700000000000000001'];
    await write(times.map((time) => `ends,k=${time === least ? 'least' : 'other'} i=${max}i ${time}`).join('\n'), 'bins');
    const bins = [
      "date_bin(INTERVAL '1 hour', time)",
      "date_bin(INTERVAL '90 minutes', time, '2020-01-01T00:00:01Z')",
      "date_bin(INTERVAL '1 month', time)",
      "date_bin(INTERVAL '2 months', time, '2020-01-15T12:00:00Z')",
      "date_bin_wallclock(INTERVAL '1 hour', tz(time, 'Europe/Paris'))",
      "date_trunc('week', time)",
      "date_trunc('quarter', time)",
    ];
    const told = `Execution error: Timestamp ${least} out of range: its bin begins before 1677-09-21T00:12:43.145224194, the least time`;
    for (const bin of bins) {
      assert.deepEqual(await ask(`SELECT ${bin} AS t FROM ends`), { status: 500, body: told }, bin);
      const others = `SELECT ${bin} AS t FROM ends WHERE k <> 'least'`;
      const plain = await ask(`${others} ORDER BY time`);
      assert.deepEqual([plain.status, plain.body.split('\n').length], [200, 5], plain.body);
      // An integer overflows, which makes the statement run once more with huge integers.
      assert.deepEqual(await ask(`${others} AND (i + 1) % 5 <> 4 ORDER BY time`), plain, bin);
    }
  });

  it('signed with unsigned integers are decimals with all digits, in every place where they meet', async () => {
    const cases: Readonly<Record<string, string>> = {
      'u + i': '27670116110564327422',
      'u - i': '9223372036854775808',
      'i - u': '-9223372036854775808',
      'u + 1': '18446744073709551616',
      'u * 2': '36893488147419103230',
      'u / 2': '9223372036854775807.5000',
      'i / u': '0.4999',
      'u % 1000': '615',
      'greatest(i, u)': unsignedMax,
      'coalesce(u, i)': unsignedMax,
      "CASE WHEN k = 'a' THEN u ELSE i END": unsignedMax,
      'sum(u + i)': '27670116110564327422',
      'arrow_typeof(u + i)': 'Decimal128(21, 0)',
    };
    const list = Object.keys(cases).map(
      (expression, at) => `${expression.startsWith('sum') ? `(SELECT ${expression} FROM n WHERE k = 'a')` : expression} AS c${at}`,
    );
    for (const format of ['csv', 'json', 'pretty']) {
      const { status, body } = await sql(`SELECT ${list.join(', ')} FROM n WHERE k = 'a'`, format);
      assert.equal(status, 200, body);
      const found =
        format === 'json'
          ? body.replace(/"c\d+":|[[\]{}"]/g, '')
          : (body.split('\n').at(format === 'csv' ? 1 : 3) ?? '').replaceAll(/^\| +| +\|$|"/g, '').replaceAll(/ *\| */g, ',');
      assert.equal(found, Object.values(cases).join(',').replaceAll('"', ''), format);
    }
  });

  it('a Parquet file has the wrapped numbers', async () => {
    const response = await server.sql('db', "SELECT i + 1 AS x FROM n WHERE k = 'a'", 'parquet');
    assert.equal(response.status, 200);
    assert.equal(
      Buffer.from(await response.arrayBuffer())
        .subarray(0, 4)
        .toString(),
      'PAR1',
    );
  });
});

describe('what the built program answers', () => {
  it('times of day', async () => {
    const found = await sql("SELECT CAST('2024-01-01T08:09:10.5' AS TIMESTAMP)::time AS x, CAST('2024-01-01' AS TIMESTAMP)::time AS y");
    assert.deepEqual(found, { status: 200, body: 'x,y\n08:09:10.500,00:00:00\n' });
  });

  it('a scalar subquery with several rows fails without advice about the engine', async () => {
    const found = await sql('SELECT (SELECT v FROM t) AS x');
    assert.deepEqual(found, { status: 500, body: 'Execution error: More than one row returned by a subquery used as an expression' });
  });

  describe('what is not finite, and both ends of times and integers', () => {
    const columns = ['time', 'i', 'u', "CAST('inf' AS DOUBLE)", "CAST('-inf' AS FLOAT)", "CAST('nan' AS DOUBLE)", 'm'];
    const list = columns.map((expression, at) => `${expression} AS c${at}`).join(', ');
    const ask = (format: string): Promise<Response> => server.sql('db', `SELECT ${list} FROM ends ORDER BY time`, format);
    const times = ['1677-09-21T00:12:43.145224194', '2262-04-11T23:47:16.854775806'];
    const integers = [
      ['-9223372036854775808', '0'],
      ['9223372036854775807', '18446744073709551615'],
    ];
    const doubles = ['5e-324', '1.7976931348623157e308'];

    before(async () => {
      await write(
        `ends i=-9223372036854775808i,u=0u,m=5e-324 -9223372036854775806\nends i=9223372036854775807i,u=18446744073709551615u,m=1.7976931348623157e308 9223372036854775806`,
      );
    });

    it('as text of every kind', async () => {
      const json = times.map(
        (time, at) =>
          `{"c0":"${time}","c1":${integers[at]?.[0]},"c2":${integers[at]?.[1]},"c3":null,"c4":null,"c5":null,"c6":${doubles[at]?.replace('5e-324', '5.0e-324')}}`,
      );
      assert.equal(await (await ask('json')).text(), `[${json.join(',')}]`);
      assert.equal(await (await ask('jsonl')).text(), `${json.join('\n')}\n`);
      const cells = times.map((time, at) => [time, ...(integers[at] ?? []), 'inf', '-inf', 'NaN', doubles[at]]);
      assert.equal(await (await ask('csv')).text(), `c0,c1,c2,c3,c4,c5,c6\n${cells.map((row) => row.join(',')).join('\n')}\n`);
      const pretty = (await (await ask('pretty')).text()).split('\n').slice(3, 5);
      assert.deepEqual(
        pretty.map((line) =>
          line
            .split('|')
            .map((cell) => cell.trim())
            .slice(1, -1),
        ),
        cells,
      );
    });

    it('as Parquet and as an Arrow stream', async () => {
      const file = await (await ask('parquet')).arrayBuffer();
      const rows = await parquetReadObjects({ file, compressors, columns: ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'] });
      const wanted = integers.map((pair, at) => ({
        c1: BigInt(pair[0] as string),
        c2: BigInt(pair[1] as string),
        c3: Number.POSITIVE_INFINITY,
        c4: Number.NEGATIVE_INFINITY,
        c5: Number.NaN,
        c6: Number(doubles[at]),
      }));
      assert.deepEqual(rows, wanted);
      const headers = { accept: 'application/vnd.apache.arrow.stream' };
      const query = new URLSearchParams({ db: 'db', q: `SELECT ${list} FROM ends ORDER BY time` });
      const response = await fetch(`${server.url}/api/v3/query_sql?${query}`, { headers });
      const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
      assert.deepEqual(Array.from(table.getChild('c0')?.data[0]?.values as BigInt64Array), [-9223372036854775806n, 9223372036854775806n]);
      wanted.forEach((row, at) => {
        for (const [name, value] of Object.entries(row)) assert.equal(Object.is(table.getChild(name)?.get(at), value), true, name);
      });
    });

    it('as InfluxDB 1 has them', async () => {
      const v1 = async (parameters: Record<string, string>): Promise<unknown> => {
        const response = await fetch(`${server.url}/query?${new URLSearchParams({ db: 'db', q: 'SELECT m FROM ends', ...parameters })}`);
        return /"values":(.*?)\}/.exec(await response.text())?.[1];
      };
      assert.equal(await v1({}), `[["${times[0]}Z",5e-324],["${times[1]}Z",1.7976931348623157e+308]]`);
      assert.equal(await v1({ epoch: 'ns' }), '[[-9223372036854775806,5e-324],[9223372036854775806,1.7976931348623157e+308]]');
    });
  });

  it('Parquet files say which times are instants, of which zone, and what is a duration', async () => {
    const zoned = "tz(time, 'Europe/Berlin')";
    const columns = {
      t: 'time',
      z: zoned,
      u: 'now()',
      l: `[${zoned}]`,
      s: `named_struct('a', v, 'b', ${zoned}, 'c', time)`,
      d: "time - TIMESTAMP '1970-01-01'",
      day: 'CAST(time AS DATE)',
    };
    const list = Object.entries(columns).map(([name, expression]) => `${expression} AS ${name}`);
    const response = await server.sql('db', `SELECT ${list.join(', ')} FROM t WHERE v = 2`, 'parquet');
    const file = await response.arrayBuffer();
    const { schema, key_value_metadata } = parquetMetadata(file);
    const flags = schema
      .filter(({ logical_type }) => logical_type?.type === 'TIMESTAMP')
      .map(({ logical_type }) => logical_type?.type === 'TIMESTAMP' && [logical_type.isAdjustedToUTC, logical_type.unit]);
    const [local, instant] = [
      [false, 'NANOS'],
      [true, 'NANOS'],
    ];
    assert.deepEqual(flags, [local, instant, instant, instant, instant, local]);
    const arrow = key_value_metadata?.find(({ key }) => key === 'ARROW:schema')?.value ?? '';
    const berlin = 'Timestamp<NANOSECOND, Europe/Berlin>';
    assert.deepEqual(
      tableFromIPC(Buffer.from(arrow, 'base64')).schema.fields.map(({ name, type }) => `${name} ${type}`),
      [
        't Timestamp<NANOSECOND>',
        `z ${berlin}`,
        'u Timestamp<NANOSECOND, +00:00>',
        `l List<${berlin}>`,
        `s Struct<{a:Int64, b:${berlin}, c:Timestamp<NANOSECOND>}>`,
        'd Duration<NANOSECOND>',
        'day Date32<DAY>',
      ],
    );
    const [row] = await parquetReadObjects({ file, compressors, columns: ['z', 'd'] });
    assert.deepEqual(row, { z: new Date(0), d: 2n });
  });

  it('EXPLAIN as Parquet is the plan too', async () => {
    for (const [explain, types] of [
      ['EXPLAIN', ['logical_plan', 'physical_plan']],
      ['EXPLAIN ANALYZE', ['Plan with Metrics']],
    ] as const) {
      const response = await server.sql('db', `${explain} SELECT host, 'it''s' AS x FROM t`, 'parquet');
      const rows = await parquetReadObjects({ file: await response.arrayBuffer(), compressors });
      assert.deepEqual(
        rows.map((row) => row['plan_type']),
        types,
      );
      assert.match(String(rows[0]?.['plan']), /PROJECTION|SCAN/);
    }
  });

  it('EXPLAIN ANALYZE shows the plan, not the statement that the engine ran', async () => {
    const { body } = await sql('EXPLAIN ANALYZE SELECT host, max(v) FROM t GROUP BY host', 'json');
    const [row] = JSON.parse(body) as { plan_type: string; plan: string }[];
    assert.equal(row?.plan_type, 'Plan with Metrics');
    assert.match(row?.plan ?? '', /^┌/);
    assert.doesNotMatch(row?.plan ?? '', /SELECT|Query Profiling/);
  });
});

it('a query that runs longer than --query-timeout is ended, in every format, and others go on', async (t) => {
  const slow = await startServer(t, await testDirectory(t), { args: ['--query-timeout', '300ms'] });
  await slow.writeOk('db', 't v=1 1');
  const q = 'SELECT sum(a.value * b.value) AS x FROM range(1000000) AS a, range(1000000) AS b';
  const answers = await Promise.all(['json', 'parquet', 'csv'].map((format) => slow.sql('db', q, format)));
  for (const answer of answers) {
    assert.deepEqual([answer.status, await answer.text()], [500, 'query error: the query ran longer than the server allows']);
  }
  // On a machine that does much else a quick one may take longer, too.
  assert.deepEqual(await until(() => slow.rows('db', 'SELECT v FROM t')), [{ v: 1 }]);
});
