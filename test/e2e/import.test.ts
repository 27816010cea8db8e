import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { influxdb1Missing, startInfluxdb1 } from '../support/influxdb1.ts';
import { startServer, type TestServer, testDirectory } from '../support/server.ts';
import { until } from '../support/until.ts';
import { bin, type Finished, runProgram } from './cli-support.ts';

const reason = influxdb1Missing === undefined ? '' : ` (skipped: ${influxdb1Missing})`;

describe('import', () => {
  const endings: (() => Promise<void>)[] = [];
  const t = { after: (fn: () => Promise<void>) => void endings.unshift(fn) };
  let server: TestServer;
  let cwd: string;

  before(async () => {
    cwd = await testDirectory(t);
    server = await startServer(t, await testDirectory(t));
  });

  after(async () => {
    for (const end of endings) await end();
  });

  const run = (...args: string[]): Promise<Finished> => runProgram(['import', '-q', '-H', server.url, ...args], { cwd });
  const file = (name: string, content: string | Uint8Array): string => {
    writeFileSync(join(cwd, name), content);
    return name;
  };

  it('line protocol, plain and zipped, with bad lines by their numbers and all of them in a file', async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => (i % 3 === 0 ? '# comment' : `m,host=h${i % 5} v=${i}i,s="a\nb" ${i + 1}`));
    lines[1999] = 'm v=oops';
    lines[2000] = 'm v="x"';
    const name = file('rows.lp.gz', gzipSync(lines.join('\n')));
    const { code, stderr, stdout } = await run('-d', 'lp', '-p', 'ns', '--max-request-size', '5000', '--errors-file', 'bad.txt', name);
    assert.equal(code, 1);
    // Each text before has a line end of its own.
    const before = (line: number): number => line + lines.slice(0, line - 1).filter((text) => text.includes('\n')).length;
    assert.match(
      stderr,
      new RegExp(`^Import command failed: 2 rows were not stored\\n  line ${before(2000)}: .*: m v=oops\\n  line ${before(2001)}: `),
    );
    const stored = lines.filter((line) => line.startsWith('m,')).length;
    assert.match(stdout, new RegExp(`^Imported ${stored} rows in \\d+\\.\\d s, \\d+ rows/s; 2 rows were not stored\\n$`));
    assert.deepEqual(
      readFileSync(join(cwd, 'bad.txt'), 'utf8')
        .split('\n')
        .map((line) => line.split('\t')[0]),
      [`line ${before(2000)}`, `line ${before(2001)}`, ''],
    );
    const sum = lines.reduce((total, line) => total + Number(/v=(\d+)i/.exec(line)?.[1] ?? 0), 0);
    assert.deepEqual(await server.rows('lp', 'SELECT count(v) AS n, sum(v) AS s FROM m'), [{ n: stored, s: sum }]);
    assert.deepEqual(
      readdirSync(cwd).filter((entry) => entry.startsWith('.influxdb3-import')),
      [],
    );
  });

  it('files of influx_inspect export go to the databases and policies that their headers name', async () => {
    const name = file(
      'export',
      [
        '# INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z',
        '# DDL',
        'CREATE DATABASE one WITH NAME autogen',
        'CREATE DATABASE one WITH NAME year',
        '# DML',
        '# CONTEXT-DATABASE:one',
        '# CONTEXT-RETENTION-POLICY:autogen',
        '# writing tsm data',
        'cpu,host=a usage=1 1000000001',
        'cpu,host=b usage=2 1000000002',
        '# CONTEXT-DATABASE:one',
        '# CONTEXT-RETENTION-POLICY:year',
        'cpu usage=4 1000000003',
        'cpu usage= 1',
      ].join('\n'),
    );
    const { stderr, stdout } = await run('-p', 'ns', name);
    assert.match(stderr, /1 rows were not stored\n {2}line 14: /);
    assert.match(stdout, /^Imported 3 rows /);
    assert.deepEqual(await server.rows('one', 'SELECT sum(usage) AS s FROM cpu'), [{ s: 3 }]);
    assert.deepEqual(await server.rows('one/year', 'SELECT sum(usage) AS s FROM cpu'), [{ s: 4 }]);
    const bare = await run(file('bare.lp', 'cpu v=1 1'));
    assert.match(bare.stderr, /^Import command failed: the file names no database\n {2}hint: /);
  });

  it('CSV: plain with a mapping, annotated by Flux and by the command line of InfluxDB 2', async () => {
    const plain = file(
      'plain.csv',
      'when,room,temp,n,note\n2024-01-01T00:00:00.5Z,Living Room,21.5,9007199254740993,"a ""quoted"", note"\n2024-01-01T00:00:01Z,,1,x,\n',
    );
    const one = await run(
      '-d',
      'csv',
      '--table',
      'home',
      '--time-column',
      'when',
      '--tag-columns',
      'room',
      '--field-columns',
      'temp,n:integer,note:string',
      plain,
    );
    assert.match(one.stderr, /1 rows were not stored\n {2}line 3: n is no whole number: 2024-01-01T00:00:01Z,,1,x,\n/);
    assert.equal(
      await (await server.sql('csv', 'SELECT * FROM home', 'csv')).text(),
      'n,note,room,temp,time\n9007199254740993,"a ""quoted"", note",Living Room,21.5,2024-01-01T00:00:00.500\n',
    );
    const flux = file(
      'flux.csv',
      [
        '#datatype,string,long,dateTime:RFC3339,double,string,string,string',
        '#group,false,false,false,false,true,true,true',
        '#default,_result,,,,,,',
        ',result,table,_time,_value,_field,_measurement,host',
        ',,0,2024-01-01T00:00:00Z,0.5,usage,cpu,a',
        '',
        '#datatype,string,long,dateTime:RFC3339,long,string,string,string',
        '#group,false,false,false,false,true,true,true',
        '#default,_result,,,,,,',
        ',result,table,_time,_value,_field,_measurement,host',
        ',,1,2024-01-01T00:00:00Z,7,count,cpu,a',
      ].join('\r\n'),
    );
    assert.match((await run('-d', 'flux', flux)).stdout, /^Imported 2 rows /);
    assert.deepEqual(await server.rows('flux', 'SELECT host, usage, count FROM cpu'), [{ host: 'a', usage: 0.5, count: 7 }]);
    const extended = file(
      'extended.csv',
      '#datatype measurement,tag,double,boolean,dateTime:RFC3339\nm,host,used,ok,time\nmem,h1,1.5,true,2024-01-01T00:00:00Z\n',
    );
    assert.match((await run('-d', 'extended', extended)).stdout, /^Imported 1 rows /);
    assert.deepEqual(await server.rows('extended', 'SELECT host, used, ok FROM mem'), [{ host: 'h1', used: 1.5, ok: true }]);
    assert.match((await run('-d', 'csv', plain)).stderr, /plain CSV names no table\n {2}hint: give it with --table/);
  });

  it('Parquet, as this server writes it', async () => {
    await server.writeOk(
      'from',
      `p,k=a\\ b,l=c\\,d f=1.5,i=9007199254740993i,u=7u,b=true,s="x\\"y" 1700000000123456789\np,k=e f=2 1700000001000000000\n`,
      '&precision=nanosecond',
    );
    const parquet = await server.sql('from', 'SELECT * FROM p', 'parquet');
    const name = file('p.parquet', new Uint8Array(await parquet.arrayBuffer()));
    const { stderr, stdout } = await run('-d', 'parquet', '--table', 'p', '--tag-columns', 'k,l', name);
    assert.match(stdout, /^Imported 2 rows /, stderr);
    const all = 'SELECT * FROM p ORDER BY time';
    assert.deepEqual(await (await server.sql('parquet', all)).text(), await (await server.sql('from', all)).text());
  });

  it('goes on where a run ended that was interrupted, and a running InfluxDB 3 is a source', async () => {
    const count = 20_000;
    const name = file('resume.lp', Array.from({ length: count }, (_, i) => `r v=${i}i ${i + 1}`).join('\n'));
    const away = await runProgram(['import', '-q', '-H', 'http://127.0.0.1:1', '-d', 'resume', '-p', 'ns', name], { cwd });
    assert.match(away.stderr, /the same command goes on where this one ended/);
    const args = [
      'import',
      '-H',
      server.url,
      '-d',
      'resume',
      '-p',
      'ns',
      '--max-request-size',
      '200',
      '--max-concurrent-requests',
      '1',
      name,
    ];
    const interrupted = spawn(process.execPath, [bin, ...args], { cwd, stdio: 'ignore' });
    const ended = once(interrupted, 'close');
    await until(() => readdirSync(cwd).some((entry) => /^\.influxdb3-import.*\.json$/.test(entry)));
    interrupted.kill('SIGKILL');
    await ended;
    const first = await runProgram(args, { cwd });
    const [, now = '', all = ''] = /^Imported (\d+) rows \((\d+) with the runs before\)/.exec(first.stdout) ?? [];
    assert.equal(Number(all), count, first.stdout + first.stderr);
    assert.ok(Number(now) < count);
    assert.deepEqual(
      readdirSync(cwd).filter((entry) => entry.startsWith('.influxdb3-import')),
      [],
    );
    assert.deepEqual(await server.rows('resume', 'SELECT count(v) AS n, sum(v) AS s FROM r'), [{ n: count, s: (count * (count - 1)) / 2 }]);
    const copied = await run('--from', server.url, '--from-database', 'lp,from');
    assert.equal(copied.code, 0, copied.stderr);
    const into = await run('--from', server.url, '--from-database', 'from', '-d', 'copy');
    assert.match(into.stdout, /^Imported 2 rows /, into.stderr);
    const everything = 'SELECT * FROM p ORDER BY time';
    assert.deepEqual(await (await server.sql('copy', everything)).text(), await (await server.sql('from', everything)).text());
  });

  it(`a running InfluxDB 1.6.7: every policy, type and awkward name, counts and sums as there${reason}`, {
    skip: influxdb1Missing !== undefined,
  }, async (context) => {
    const judge = await startInfluxdb1(context);
    const ask = async (url: string, q: string, db = 'd'): Promise<unknown> =>
      (await fetch(`${url}/query?${new URLSearchParams({ db, q, epoch: 'ns' })}`, { method: 'POST' })).json();
    await ask(judge, 'CREATE DATABASE d');
    await ask(judge, 'CREATE RETENTION POLICY "long" ON d DURATION INF REPLICATION 1');
    const lines = Array.from(
      { length: 12_000 },
      (_, i) =>
        `cpu,host=h${i % 7},zone=z\\ ${i % 3} f=${i / 3},i=${i}i,b=${i % 2 === 0},s="t \\"${i}\\"" ${1_700_000_000_000_000_000 + i * 1000}`,
    );
    const awkward = [
      'odd\\ name\\,x,t\\=ag=a\\,b "q"=1',
      'odd\\ name\\,x big=9223372036854775807i',
      'cpu i=9007199254740993i 1600000000000000001',
    ];
    for (const [params, body] of [
      ['db=d', [...lines, ...awkward].join('\n')],
      ['db=d&rp=long', 'cpu f=1 1500000000000000000\ncpu f=2 1500000001000000000'],
    ]) {
      const written = await fetch(`${judge}/write?${params}`, { method: 'POST', body: body ?? '' });
      assert.equal(written.status, 204, await written.text());
    }
    const { code, stderr, stdout } = await run('--from', judge, '--from-database', 'd');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Imported 12005 rows in /);
    for (const q of [
      'SELECT count(f), sum(f), count(i), sum(i), count(b), count(s) FROM cpu',
      'SELECT count(f), sum(f), sum(i) FROM cpu WHERE time >= 1700000000000000000 GROUP BY host, zone',
      'SELECT last(s), first(f), max(i) FROM cpu GROUP BY zone',
      'SELECT * FROM "odd name,x"',
      'SELECT i FROM cpu WHERE time < 1650000000000000000',
    ]) {
      const [theirs, ours] = await Promise.all([ask(judge, q), ask(server.url, q)]);
      assert.deepEqual(rounded(ours), rounded(theirs), q);
    }
    assert.deepEqual(await server.rows('d/long', 'SELECT count(f) AS n, sum(f) AS s FROM cpu'), [{ n: 2, s: 3 }]);
  });
});

/** Sums of floats depend on the order of the rows in their last digits. */
function rounded(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, part: unknown) =>
      typeof part === 'number' && !Number.isInteger(part) ? Number(part.toPrecision(10)) : part,
    ),
  );
}
