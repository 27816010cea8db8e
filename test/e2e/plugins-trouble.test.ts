import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PluginServer } from '../support/plugins.ts';
import { processEnd } from '../support/processes.ts';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const NS = '&precision=nanosecond';

const FILES = {
  'echo.py': `
def process_writes(influxdb3_local, table_batches, args=None):
    influxdb3_local.write(LineBuilder("echo").int64_field("v", 1))
`,
  'long.py': `
import os, time
def process_writes(influxdb3_local, table_batches, args=None):
    rows = [row["v"] for batch in table_batches for row in batch["rows"]]
    influxdb3_local.info("pid", os.getpid(), rows)
    influxdb3_local.write_sync(LineBuilder("kept").int64_field("v", int(rows[0])), False)
    while os.path.exists(args["while"]):
        time.sleep(0.02)
    influxdb3_local.info("ended", rows)
`,
  'cache.py': `
class Odd:
    def __reduce__(self):
        raise RuntimeError("cannot be copied")

class Late:
    def __reduce__(self):
        return (fails, ())

def fails():
    raise LookupError("cannot be read")

def process_request(influxdb3_local, q, h, b, args=None):
    import __main__
    __main__.fails = fails
    fails.__module__ = "__main__"
    cache = influxdb3_local.cache
    if q["do"] == "key":
        cache.put(["a", "list"], 1)
    if q["do"] == "ttl":
        cache.put("x", 1, ttl="soon")
    if q["do"] == "odd":
        cache.put("odd", Odd(), use_global=True)
        return type(cache.get("odd", use_global=True)).__name__
    if q["do"] == "late":
        cache.put("late", Late(), use_global=True)
        cache.get("late", use_global=True)
    return "fine"
`,
  'cache.js': `
export async function processRequest(api, { query }) {
  if (query.do === 'copy') await api.cache.put('f', () => 1, { global: true });
  if (query.do === 'ttl') api.cache.put('f', 1, { ttl: 'soon' });
  return 'fine';
}
`,
  'ends.js': `
export function processRequest(api, { query }) {
  if (query.do === 'exit') process.exit(3);
  const held = [];
  while (query.do === 'memory') held.push(new Array(10000).fill(held.length + 0.5));
  return 'fine';
}
`,
  'again.js':
    'export function processWrites(api, [{ rows }]) { throw new RangeError("broken"); for (const { v } of rows) api.info("got", v); }\n',
  'kept/__init__.py':
    'seen = {}\n\ndef process_request(a, q, h, b, args=None):\n    seen["n"] = seen.get("n", 0) + 1\n    return [seen["n"], sorted(name for name in dir(a) if name[0] != "_")]\n',
  'single.py':
    'seen = {}\n\ndef process_request(a, q, h, b, args=None):\n    seen["n"] = seen.get("n", 0) + 1\n    return [seen["n"], type(b).__name__, list(b)]\n',
  'kept-js/index.js':
    "import { count } from './count.js';\nexport const processRequest = (api) => [count(), Object.keys(api).sort(), Object.keys(api.cache).sort()];\n",
  'kept-js/count.js': 'let n = 0;\nexport const count = () => ++n;\n',
  'at.py': 'def process_scheduled_call(a, call_time, args=None):\n    a.info(call_time, args)\n',
  'many.py': `
def process_request(influxdb3_local, q, h, b, args=None):
    rows = influxdb3_local.query("SELECT a.v AS v, b.v AS w FROM n a CROSS JOIN n b")
    return [len(rows), sum(row["v"] + row["w"] for row in rows)]
`,
  'types.py': `
def process_request(influxdb3_local, q, h, b, args=None):
    row = influxdb3_local.query("SELECT * FROM odd", database="types")[0]
    line = LineBuilder("back").tag("t", row["t"]).int64_field("i", row["i"]).int64_field("j", row["j"]).uint64_field("u", row["u"])
    line.float64_field("f", row["f"]).float64_field("g", row["g"]).string_field("s", row["s"]).string_field("e", row["e"])
    influxdb3_local.write_to_db("types", line.bool_field("b", row["b"]).time_ns(row["time"]))
    try:
        influxdb3_local.query("SELECT 1", database="no good")
    except Exception as error:
        return [type(error).__name__, str(error)]
`,
  'types.js': `
export async function processRequest(api, request) {
  const [row] = await api.query('SELECT * FROM odd', {}, { database: 'types' });
  const line = new LineBuilder('back_js').tag('t', row.t).intField('i', row.i).intField('j', row.j).uintField('u', row.u);
  line.floatField('f', row.f).floatField('g', row.g).stringField('s', row.s).stringField('e', row.e).boolField('b', row.b);
  api.writeToDb('types', line.timeNs(row.time));
  return await api.query('SELECT 1', {}, { database: 'no good' }).catch((error) => [error.name, error.message]);
}
`,
  'calls.py': `
import os, urllib.request
def process_writes(influxdb3_local, table_batches, args=None):
    with urllib.request.urlopen(args["url"], data=b"x") as response:
        influxdb3_local.info("answered", response.read().decode())
`,
};

describe('plugins in trouble', () => {
  let plugins: PluginServer;
  const ends: (() => Promise<void>)[] = [];
  const ask = async (path: string, init?: RequestInit): Promise<[number, string]> => {
    const response = await fetch(`${plugins.server.url}/api/v3/engine/${path}`, init);
    return [response.status, await response.text()];
  };
  before(async () => {
    plugins = await PluginServer.start({ after: (end) => ends.unshift(end) }, FILES, { env: { TZ: 'Asia/Tokyo' } });
    await plugins.server.writeOk('db', 'cpu v=1');
  });
  after(async () => {
    for (const end of ends) await end();
  });

  test('a trigger that is called by its own rows for ever is told of, harms nobody, and can be stopped', async () => {
    await plugins.created({ name: 'echo', plugin: 'echo.py', spec: 'table:echo' });
    await plugins.server.writeOk('db', 'echo v=1i');
    const row = await plugins.logged(/^WARN the last 100 calls got nothing but rows that this trigger wrote, and wrote more: leave out /);
    await plugins.server.says(row.slice('WARN '.length));
    await plugins.server.writeOk('db', 'cpu v=2');
    assert.equal((await plugins.setEnabled(false, 'echo')).status, 200);
    const [first] = await plugins.server.rows('db', 'SELECT count(*) AS n FROM echo');
    await plugins.server.writeOk('db', 'echo v=2i');
    assert.ok(Number(first?.['n']) > 100);
  });

  test('a process that is killed in a call fails that call; retry calls again with the same rows, and later ones follow', async () => {
    const gate = join(plugins.dataDir, 'gate');
    await plugins.write('../gate', '');
    await plugins.created({ name: 'long', plugin: 'long.py', spec: 'table:work', errorBehavior: 'retry', args: { while: gate } });
    await plugins.server.writeOk('db', 'work v=1');
    const pid = Number(/pid (\d+)/.exec(await plugins.logged(/^INFO pid \d+ \[1\.0\]$/))?.[1]);
    await plugins.server.writeOk('db', 'work v=2');
    process.kill(pid, 'SIGKILL');
    await plugins.logged('WARN retrying trigger long after error (attempt 1): plugin process exited unexpectedly (SIGKILL)');
    await rm(gate);
    await plugins.logged('INFO ended [1.0]');
    await plugins.logged('INFO ended [2.0]');
    const ended = (await plugins.logs('db', 'long')).filter((row) => row.startsWith('INFO ended'));
    assert.deepEqual(ended, ['INFO ended [1.0]', 'INFO ended [2.0]']);
  });

  test('a worker that ends itself or takes too much memory fails its call, and retry calls again with the same rows', async () => {
    await plugins.created({ name: 'ends', plugin: 'ends.js', spec: 'request:ends' });
    const failed = (how: string): [number, string] => [500, `{"error":"plugin process exited unexpectedly (${how})"}`];
    assert.deepEqual(await ask('ends?do=exit'), failed('code 3'));
    assert.deepEqual(await ask('ends?do=memory'), failed('out of memory'));
    assert.deepEqual(await ask('ends'), [200, 'fine']);
    await plugins.created({ name: 'again', plugin: 'again.js', spec: 'table:again', errorBehavior: 'retry' });
    await plugins.server.writeOk('db', 'again v=1');
    await plugins.logged('WARN retrying trigger again after error (attempt 1): RangeError: broken');
    await plugins.server.writeOk('db', 'again v=2');
    await plugins.write('again.js', FILES['again.js'].replace('throw new RangeError("broken");', ''));
    await plugins.logged('INFO got 1');
    await plugins.logged('INFO got 2');
  });

  test('a dry run says what is wrong with a plugin', async () => {
    const entry = 'Should be defined as: process_writes(influxdb3_local, table_batches, args=None)';
    const takes = (count: number): string =>
      `TypeError: process_writes() takes ${count} positional argument${count === 1 ? '' : 's'} but 3 were given`;
    const jsEntry = 'Should be defined as: processWrites(api, tableBatches, args)';
    const planning = "error: Error during planning: table 'public.iox.none' not found executing query on db: SELECT 1 FROM none";
    for (const [file, text, problem] of [
      ['wrong.py', 'def process_writes(a, b, c):\n  x = 1\n    y = 2\n', 'IndentationError: unexpected indent (<string>, line 3)'],
      ['wrong.py', 'x = 1\n', `the process_writes function is not present in the plugin. ${entry}`],
      ['wrong.py', 'def process_writes():\n  pass\n', takes(0)],
      ['wrong.py', 'def process_writes(a):\n  pass\n', takes(1)],
      ['wrong.py', 'def process_writes(a, b):\n  pass\n', takes(2)],
      [
        'wrong.py',
        'def process_writes(a, b, c):\n  a.write(LineBuilder("t").tag("k", "v"))\n',
        'InvalidLineError: At least one field is required: t,k=v',
      ],
      ['wrong.py', 'def process_writes(a, b, c):\n  a.query("SELECT 1 FROM none")\n', `QueryError: ${planning}`],
      ['wrong.js', 'const a = 1;\nconst a = 2;\n', "SyntaxError: Identifier 'a' has already been declared"],
      ['wrong.js', 'export const x = 1;\n', `the processWrites function is not present in the plugin. ${jsEntry}`],
      ['wrong.js', 'export const processWrites = (api) => api.nothing();\n', 'TypeError: api.nothing is not a function'],
      [
        'wrong.js',
        'export const processWrites = (api) => api.write(new LineBuilder("t").tag("k", "v"));\n',
        'InvalidLineError: At least one field is required: t,k=v',
      ],
      [
        'wrong.js',
        'export const processWrites = (api) => api.write({ build: () => 5 });\n',
        'TypeError: build() must return a string, not number',
      ],
      ['wrong.js', 'export const processWrites = (api) => api.query("SELECT 1 FROM none");\n', `QueryError: ${planning}`],
    ] as const) {
      await plugins.write(file, text);
      const answer = await plugins.request('POST', '/api/v3/plugin_test/wal', {
        filename: file,
        database: 'db',
        input_lp: 'cpu v=1',
      });
      const errors = [`error executing plugin: ${problem}`];
      assert.deepEqual(JSON.parse(answer.text), { log_lines: [], database_writes: {}, errors }, text);
    }
  });

  test('an exception in the cache is one of the plugin, and the next call is answered', async () => {
    await plugins.created({ name: 'cache', plugin: 'cache.py', spec: 'request:cache' });
    await plugins.created({ name: 'cachejs', plugin: 'cache.js', spec: 'request:cachejs' });
    for (const [path, text] of [
      ['cache?do=key', "Python function call failed: TypeError: unhashable type: 'list'"],
      ['cache?do=ttl', "Python function call failed: ValueError: could not convert string to float: 'soon'"],
      ['cache?do=late', 'Python function call failed: LookupError: cannot be read'],
      ['cachejs?do=copy', 'Error: () => 1 could not be cloned.'],
      ['cachejs?do=ttl', 'RangeError: a time to live is a number of seconds from 0 on, not soon'],
    ] as const) {
      const [status, body] = await ask(path);
      assert.deepEqual([status, (JSON.parse(body) as { error: string }).error], [500, text], path);
    }
    assert.deepEqual(await ask('cache?do=odd'), [200, 'Odd'], 'what cannot be copied stays in its process');
    await plugins.logged(/^WARN cache: the value of 'odd' cannot be shared between processes and stays in this one: RuntimeError: /);
    assert.deepEqual(await ask('cache?do=none'), [200, 'fine']);
    assert.deepEqual(await ask('cachejs?do=none'), [200, 'fine']);
  });

  test('modules of a folder keep their state from call to call, single files do not; both have exactly their interface', async () => {
    await plugins.created({ name: 'kept', plugin: 'kept', spec: 'request:kept' });
    await plugins.created({ name: 'single', plugin: 'single.py', spec: 'request:single' });
    await plugins.created({ name: 'keptjs', plugin: 'kept-js', spec: 'request:keptjs' });
    const names = ['cache', 'error', 'info', 'query', 'warn', 'write', 'write_sync', 'write_sync_to_db', 'write_to_db'];
    for (const n of [1, 2]) assert.deepEqual(JSON.parse((await ask('kept'))[1]), [n, names]);
    const own = ['cache', 'error', 'info', 'int64', 'query', 'warn', 'write', 'writeSync', 'writeSyncToDb', 'writeToDb'];
    for (const n of [1, 2]) assert.deepEqual(JSON.parse((await ask('keptjs'))[1]), [n, own, ['delete', 'get', 'put']]);
    const raw = { method: 'POST', body: new Uint8Array([0, 255, 10]) };
    assert.deepEqual(JSON.parse((await ask('single', raw))[1]), [1, 'bytes', [0, 255, 10]]);
    const zipped = { method: 'POST', body: gzipSync(new Uint8Array([254, 0])), headers: { 'content-encoding': 'gzip' } };
    assert.deepEqual(JSON.parse((await ask('single', zipped))[1]), [1, 'bytes', [254, 0]]);
  });

  test('values of all types come and go unchanged, also to another database, and a bad name is a QueryError', async () => {
    const fields = 'i=-9223372036854775808i,j=9223372036854775807i,u=18446744073709551615u,f=1.0,g=-0.0,s="a\\"\\\\ü😀",e="",b=false';
    await plugins.server.writeOk('types', `odd,t=ü😀 ${fields} -5`, NS);
    const problem = "invalid database name provided: database name 'no good' contains invalid character, character number 2 is not allowed";
    for (const [name, file, table] of [
      ['typespy', 'types.py', 'back'],
      ['typesjs', 'types.js', 'back_js'],
    ] as const) {
      await plugins.created({ name, plugin: file, spec: `request:${name}` });
      assert.deepEqual(JSON.parse((await ask(name))[1]), ['QueryError', problem]);
      const text = async (from: string): Promise<string> => (await plugins.server.sql('types', `SELECT * FROM ${from}`, 'csv')).text();
      assert.equal(
        await text(table),
        (await text('odd')).replace('-0.0', '0.0'),
        'as in InfluxDB 3 Core, LineBuilder has no negative zero',
      );
    }
  });

  test('a schedule calls with whole seconds of the local clock of the server', async () => {
    const body = { filename: 'at.py', database: 'db', schedule: '0 0 0 1 1 *', input_arguments: { region: 'us-east' } };
    const { text } = await plugins.request('POST', '/api/v3/plugin_test/schedule', body);
    const ran = JSON.parse(text) as { trigger_time: string; log_lines: string[] };
    const year = ran.trigger_time.slice(0, 4);
    assert.equal(ran.trigger_time, `${year}-01-01T00:00:00Z`);
    assert.equal(ran.log_lines[1], `INFO: ${year}-01-01 09:00:00 {'region': 'us-east'}`);
  });

  test('a million rows for a plugin stay out of the memory of the server', async () => {
    await plugins.server.writeOk('db', Array.from({ length: 1000 }, (_, at) => `n v=${at}i ${at}`).join('\n'), NS);
    await plugins.created({ name: 'many', plugin: 'many.py', spec: 'request:many' });
    const resident = (): number => {
      const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${plugins.server.child.pid}/status`, 'utf8')) ?? [];
      return Number(kib) / 1024;
    };
    const before = resident();
    let most = before;
    const look = setInterval(() => {
      most = Math.max(most, resident());
    }, 20);
    const [, text] = await ask('many');
    clearInterval(look);
    assert.deepEqual(JSON.parse(text), [1_000_000, 999_000_000]);
    assert.ok(most - before < 200, `${Math.round(most - before)} MB more`);
  });

  test('a plugin that waits for another plugin of the same server gets its answer', async () => {
    await plugins.created({
      name: 'calls',
      plugin: 'calls.py',
      spec: 'table:ring',
      args: { url: `${plugins.server.url}/api/v3/engine/single` },
    });
    await plugins.server.writeOk('db', 'ring v=1');
    await plugins.logged('INFO answered [1, "bytes", [120]]');
  });

  test('a plugin directory that vanishes leaves the last code at work, says so, and is read again when it is back', async () => {
    await rename(plugins.pluginDir, `${plugins.pluginDir}.away`);
    assert.equal((await ask('single'))[0], 200);
    assert.equal(JSON.parse((await ask('kept'))[1])[0], 3);
    assert.equal(JSON.parse((await ask('keptjs'))[1])[0], 3);
    await plugins.server.says(/a plugin cannot be read any more, its last code goes on .*trigger=db\.kept\b/);
    const missing = await plugins.create({ name: 'late', plugin: 'single.py', spec: 'request:late' });
    assert.match(missing.text, /^Plugin error: reading plugin file: Plugin not found: .*single\.py$/);
    await plugins.server.writeOk('db', 'echo v=3i');
    assert.equal((await plugins.setEnabled(true, 'echo')).status, 200);
    await plugins.server.writeOk('db', 'echo v=4i');
    await plugins.logged(/^ERROR error executing wal plugin: .*Plugin not found: .*echo\.py$/);
    assert.equal((await plugins.setEnabled(false, 'echo')).status, 200);
    await rename(`${plugins.pluginDir}.away`, plugins.pluginDir);
    await plugins.write('single.py', 'def process_request(a, q, h, b, args=None):\n    return "back"\n');
    assert.deepEqual(await ask('single'), [200, 'back']);
  });

  test('what a call wrote at once is there after the server was stopped in the middle of it, and its process is gone', async () => {
    await plugins.write('../gate', '');
    await plugins.server.writeOk('db', 'work v=7');
    const pid = Number(/pid (\d+)/.exec(await plugins.logged(/^INFO pid \d+ \[7\.0\]$/))?.[1]);
    await plugins.rowsOf('db', 'SELECT v FROM kept WHERE v = 7');
    await plugins.server.kill('SIGKILL');
    const again = await startServer({ after: async (end) => void ends.unshift(end) }, plugins.dataDir, {
      args: ['--plugin-dir', plugins.pluginDir, '--restrict-plugin-triggers-to', 'request'],
    });
    assert.deepEqual(await again.rows('db', 'SELECT v FROM kept WHERE v = 7'), [{ v: 7 }]);
    await processEnd(pid);
    await again.says(/a trigger runs although its kind may not be created any more trigger=db\.long kind=wal/);
    assert.doesNotMatch(again.output, /although its kind.*trigger=db\.(kept|echo)\b/);
    await again.writeOk('db', 'work v=8');
    await until(async () => (await again.rows('db', 'SELECT v FROM kept WHERE v = 8')).length === 1);
    assert.deepEqual(await again.rows('db', 'SELECT v, count(*) AS n FROM kept WHERE v >= 7 GROUP BY v ORDER BY v'), [
      { v: 7, n: 1 },
      { v: 8, n: 1 },
    ]);
  });
});
