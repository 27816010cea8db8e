import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const NS = '&precision=nanosecond';

const FILES = {
  'count.py': `
def process_writes(influxdb3_local, table_batches, args=None):
    for batch in table_batches:
        if batch["table_name"].startswith("report"):
            continue
        for row in batch["rows"]:
            influxdb3_local.info(row)
        line = LineBuilder(args["report"]).tag("table", batch["table_name"]).int64_field("rows", len(batch["rows"]))
        influxdb3_local.write(line)
`,
  'count.js': `
const shown = (row) => JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value));
export function processWrites(api, tableBatches, args) {
  for (const { tableName, rows } of tableBatches) {
    if (tableName.startsWith('report')) continue;
    for (const row of rows) api.info(shown(row));
    api.write(new LineBuilder(args.report).tag('table', tableName).intField('rows', rows.length));
  }
}
`,
  'dry.py': `
def line(name):
    return LineBuilder(name).int64_field("v", 1)

def process_writes(influxdb3_local, table_batches, args=None):
    influxdb3_local.write(line("queued"))
    influxdb3_local.write_sync(line("first"), False)
    influxdb3_local.write_to_db("dry_other", line("queued"))
    influxdb3_local.write_sync_to_db("dry_other", LineBuilder("known").string_field("v", "text"), True)
    influxdb3_local.write_sync(line("second"), True)
    influxdb3_local.write(line("last"))
    influxdb3_local.write_to_db("dry_new", line("a"))
`,
  'dry.js': `
const line = (name) => new LineBuilder(name).intField('v', 1);
export async function processWrites(api) {
  api.write(line('queued'));
  await api.writeSync(line('first'));
  api.writeToDb('dry_other', line('queued'));
  await api.writeSyncToDb('dry_other', new LineBuilder('known').stringField('v', 'text'), { noSync: true });
  await api.writeSync(line('second'), { noSync: true });
  api.write(line('last'));
  api.writeToDb('dry_new', line('a'));
}
`,
  'cache.py': `
class Box:
    pass

def process_request(influxdb3_local, q, h, b, args=None):
    cache = influxdb3_local.cache
    scope = {"use_global": q["scope"] == "global"}
    if q["do"] == "put":
        cache.put("short", {"nested": [1, {"deep": "ü"}]}, ttl=1, **scope)
        cache.put("long", [1, [2]], ttl=3600.5, **scope)
        cache.put("gone", 1, ttl=0, **scope)
        return [cache.get("short", **scope), cache.get("gone", "nothing", **scope)]
    if q["do"] == "get":
        return [cache.get("short", "nothing", **scope), cache.get("long", **scope)]
    if q["do"] == "delete":
        return [cache.delete("long", **scope), cache.delete("long", **scope), cache.get("long", "nothing", **scope)]
    if q["do"] == "change":
        held = cache.get("object")
        if held is None:
            held = {"n": 0}
            cache.put("object", held)
        held["n"] += 1
        return held
    raise LookupError("unknown")
`,
  'cache.js': `
export async function processRequest(api, { query }) {
  const { cache } = api;
  const scope = { global: query.scope === 'global' };
  const get = async (key) => (await cache.get(key, scope)) ?? 'nothing';
  if (query.do === 'put') {
    await cache.put('short', { nested: [1, { deep: 'ü' }] }, { ttl: 1, ...scope });
    await cache.put('long', [1, [2]], { ttl: 3600.5, ...scope });
    await cache.put('gone', 1, { ttl: 0, ...scope });
    return [await get('short'), await get('gone')];
  }
  if (query.do === 'get') return [await get('short'), await get('long')];
  if (query.do === 'delete') return [await cache.delete('long', scope), await cache.delete('long', scope), await get('long')];
  const held = cache.get('object') ?? { n: 0 };
  cache.put('object', held);
  held.n++;
  return held;
}
`,
  'at.py': `
def process_scheduled_call(influxdb3_local, call_time, args=None):
    influxdb3_local.info("called at", call_time, call_time.tzinfo)
`,
  'at.js': `
export function processScheduledCall(api, callTime) {
  api.info('called at', callTime instanceof Date, callTime.toISOString());
}
`,
  'answers.js': `
const ANSWERS = {
  object: () => ({ a: [1, 'ü'], n: null, big: 2n ** 64n }),
  list: () => [1, 2],
  text: () => 'text',
  bytes: () => new Uint8Array([255, 0]),
  status: () => new PluginResponse('made', { status: 201 }),
  headers: () => new PluginResponse('made', { headers: { 'X-A': '1', 'Content-Type': 'text/plain' } }),
  both: () => new PluginResponse({ error: 'no' }, { status: 404, headers: { 'x-b': '2' } }),
  web: () => Response.json({ web: true }, { status: 418 }),
  later: async () => ({ later: true }),
  lookalike: () => ({ status: 404, body: 'not found' }),
  nothing: () => undefined,
  number: () => 5,
  circle: () => { const held = {}; held.held = held; return held; },
  thrown: () => { throw 'a text'; },
  rejected: () => Promise.reject(new RangeError('far')),
  own: () => { class Odd extends Error {} throw new Odd('of its own'); },
};
export const process_request = (api, { query }) => ANSWERS[query.do]();
`,
};

const LANGUAGES = [
  { name: 'python', ending: 'py' },
  { name: 'javascript', ending: 'js' },
] as const;

describe('plugins of both languages', () => {
  let plugins: PluginServer;
  const ends: (() => Promise<void>)[] = [];
  const ask = async (path: string): Promise<unknown> =>
    (await fetch(`${plugins.server.url}/api/v3/engine/${path}`)).json() as Promise<unknown>;
  before(async () => {
    plugins = await PluginServer.start({ after: (end) => ends.unshift(end) }, FILES, { env: { TZ: 'UTC' } });
  });
  after(async () => {
    for (const end of ends) await end();
  });

  for (const { name, ending } of LANGUAGES) {
    test(`${name}: rows of a new table come with the tags and fields that their line has, and their count is written to the table of the argument`, async () => {
      const db = `count_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      await plugins.created({ db, plugin: `count.${ending}`, spec: 'all_tables', args: { report: 'report_of_it' } });
      const lines = 'cpu,host=A,region=west usage=1i,system=23.2 100\ncpu,region=north,host=B extra=t,system=1 101\nmem free=5u 102';
      await plugins.server.writeOk(db, lines, NS);
      const expected = {
        py: [
          "{'host': 'A', 'region': 'west', 'usage': 1, 'system': 23.2, 'time': 100}",
          "{'host': 'B', 'region': 'north', 'system': 1.0, 'extra': True, 'time': 101}",
          "{'free': 5, 'time': 102}",
        ],
        js: [
          '{"host":"A","region":"west","usage":1,"system":23.2,"time":"100"}',
          '{"host":"B","region":"north","system":1,"extra":true,"time":"101"}',
          '{"free":5,"time":"102"}',
        ],
      }[ending];
      for (const row of expected) await plugins.logged(`INFO ${row}`, db);
      const report = await plugins.rowsOf(db, 'SELECT "table", rows FROM report_of_it ORDER BY "table"', 2);
      assert.deepEqual(report, [
        { table: 'cpu', rows: 2 },
        { table: 'mem', rows: 1 },
      ]);
    });

    test(`${name}: a dry run shows what was written at once before what was queued, for each database, and what would be refused`, async () => {
      await plugins.server.writeOk('dry_other', 'known v=1i 1', NS);
      const body = { filename: `dry.${ending}`, database: 'dry_db', input_lp: 'cpu v=1' };
      const { status, text } = await plugins.request('POST', '/api/v3/plugin_test/wal', body);
      assert.equal(status, 200, text);
      const { database_writes, errors } = JSON.parse(text) as { database_writes: unknown; errors: unknown };
      assert.deepEqual(database_writes, {
        dry_db: ['first v=1i', 'second v=1i', 'queued v=1i', 'last v=1i'],
        dry_other: ['known v="text"', 'queued v=1i'],
        dry_new: ['a v=1i'],
      });
      assert.deepEqual(errors, [
        'line protocol parse error on write to db dry_other: WriteLineError { original_line: "known v=text", line_number: 1, error_message: ' +
          '"invalid column type for column \'v\', expected iox::column_type::field::integer, got iox::column_type::field::string" }',
      ]);
      assert.deepEqual(await plugins.server.rows('dry_other', 'SELECT v FROM known'), [{ v: 1 }]);
      const tables = await plugins.server.rows('dry_other', "SELECT table_name FROM information_schema.tables WHERE table_schema = 'iox'");
      assert.deepEqual(tables, [{ table_name: 'known' }]);
      const databases = await (await fetch(`${plugins.server.url}/api/v3/configure/database?format=csv`)).text();
      assert.doesNotMatch(databases, /dry_db|dry_new/);
    });

    for (const scope of ['local', 'global']) {
      test(`${name}: ${scope} values of the cache go after their time to live, others stay until they are deleted`, async () => {
        const db = `cache_${ending}_${scope}`;
        await plugins.server.writeOk(db, 'begin v=1');
        await plugins.created({ db, plugin: `cache.${ending}`, spec: `request:${db}` });
        assert.deepEqual(await ask(`${db}?do=put&scope=${scope}`), [{ nested: [1, { deep: 'ü' }] }, 'nothing']);
        await until(async () => assert.deepEqual(await ask(`${db}?do=get&scope=${scope}`), ['nothing', [1, [2]]]) === undefined);
        assert.deepEqual(await ask(`${db}?do=delete&scope=${scope}`), [true, false, 'nothing']);
      });
    }

    test(`${name}: a cached object is the same one in each call, until its trigger is disabled`, async () => {
      const db = `object_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      await plugins.created({ db, plugin: `cache.${ending}`, spec: `request:${db}` });
      for (const n of [1, 2]) assert.deepEqual(await ask(`${db}?do=change&scope=local`), { n });
      assert.equal((await plugins.setEnabled(false, 't', db)).status, 200);
      assert.equal((await plugins.setEnabled(true, 't', db)).status, 200);
      assert.deepEqual(await ask(`${db}?do=change&scope=local`), { n: 1 });
    });

    test(`${name}: a schedule is called with its time, in Python that of the clock of the server in whole seconds`, async () => {
      const db = `at_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      await plugins.created({ db, plugin: `at.${ending}`, spec: 'every:300ms' });
      const calls = await until(async () => {
        const rows = (await plugins.logs(db)).filter((row) => /called at|starting/.test(row));
        return rows.length >= 10 ? rows.slice(0, 10) : undefined;
      });
      for (let at = 0; at < calls.length; at += 2) {
        const [, day, time, fraction = ''] = /^INFO starting execution with scheduled time (\S+) ([\d:]+)(\.\d+)? UTC$/.exec(
          calls[at] ?? '',
        ) ?? [''];
        assert.equal(Date.parse(`${day}T${time}${fraction}Z`) % 300, 0, calls[at]);
        const shown = ending === 'py' ? `${day} ${time} None` : `true ${day}T${time}${fraction || '.000'}Z`;
        assert.equal(calls[at + 1], `INFO called at ${shown}`);
      }
      assert.equal((await plugins.setEnabled(false, 't', db)).status, 200);
    });
  }

  test('answers of JavaScript plugins become statuses, headers and bodies', async () => {
    await plugins.server.writeOk('answers', 'begin v=1');
    await plugins.created({ db: 'answers', plugin: 'answers.js', spec: 'request:answers' });
    for (const [what, status, type, body, header] of [
      ['object', 200, 'application/json', '{"a":[1,"ü"],"n":null,"big":18446744073709551616}'],
      ['list', 200, 'application/json', '[1,2]'],
      ['text', 200, 'text/html', 'text'],
      ['bytes', 200, 'application/octet-stream', '\xff\0'],
      ['status', 201, 'text/html', 'made'],
      ['headers', 200, 'text/plain', 'made', ['x-a', '1']],
      ['both', 404, 'application/json', '{"error":"no"}', ['x-b', '2']],
      ['web', 418, 'application/json', '{"web":true}'],
      ['later', 200, 'application/json', '{"later":true}'],
      ['lookalike', 200, 'application/json', '{"status":404,"body":"not found"}'],
      ['nothing', 500, 'application/json', '{"error":"Unsupported return type from JavaScript function"}'],
      ['number', 500, 'application/json', '{"error":"Unsupported return type from JavaScript function"}'],
      ['thrown', 500, 'application/json', '{"error":"Error: a text"}'],
      ['rejected', 500, 'application/json', '{"error":"RangeError: far"}'],
      ['own', 500, 'application/json', '{"error":"Odd: of its own"}'],
    ] as const) {
      const response = await fetch(`${plugins.server.url}/api/v3/engine/answers?do=${what}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      const text = bytes.toString(what === 'bytes' ? 'latin1' : 'utf8');
      assert.deepEqual([response.status, response.headers.get('content-type'), text], [status, type, body], what);
      if (header !== undefined) assert.equal(response.headers.get(header[0]), header[1]);
    }
    assert.match(JSON.stringify(await ask('answers?do=circle')), /TypeError: Converting circular structure to JSON/);
  });

  test('each database has the log of its own triggers, `_internal` that of all', async () => {
    for (const db of ['log_a', 'log_b']) {
      await plugins.server.writeOk(db, 'begin v=1');
      await plugins.write(`${db}.js`, `export const processRequest = (api) => { api.info('${db}'); return 'x'; };\n`);
      await plugins.created({ db, plugin: `${db}.js`, spec: `request:${db}` });
      assert.equal((await fetch(`${plugins.server.url}/api/v3/engine/${db}`)).status, 200);
    }
    const said = (rows: readonly string[]): string[] => rows.filter((row) => /^INFO log_/.test(row));
    assert.deepEqual(said(await plugins.logs('log_a')), ['INFO log_a']);
    assert.deepEqual(said(await plugins.logs('log_b')), ['INFO log_b']);
    assert.deepEqual(said(await plugins.logs('_internal')), ['INFO log_a', 'INFO log_b']);
  });

  test('the log keeps the newest ten thousand rows of the whole server', async () => {
    await plugins.write(
      'much.js',
      'export const processRequest = (api) => { for (let n = 1; n <= 10_005; n++) api.info("row", n); return "x"; };\n',
    );
    await plugins.created({ db: 'log_a', name: 'much', plugin: 'much.js', spec: 'request:much' });
    assert.equal((await fetch(`${plugins.server.url}/api/v3/engine/much`)).status, 200);
    const rows = await plugins.logs('_internal');
    assert.equal(rows.length, 10_000);
    assert.deepEqual([rows[0], rows.at(-2)], ['INFO row 7', 'INFO row 10005'], 'the last row says that the call has ended');
    assert.deepEqual(await plugins.logs('log_b'), []);
  });

  test('triggers of both languages go on after the server was killed', async () => {
    await plugins.server.kill('SIGKILL');
    const again = await startServer({ after: async (end) => void ends.unshift(end) }, plugins.dataDir, {
      args: ['--plugin-dir', plugins.pluginDir],
    });
    for (const { ending } of LANGUAGES) await again.writeOk(`count_${ending}`, 'later v=1\nlater v=2 5', NS);
    for (const { ending } of LANGUAGES) {
      const rows = await until(async () => {
        const all = await again.rows(`count_${ending}`, 'SELECT "table", rows FROM report_of_it ORDER BY "table"');
        return all.length === 3 ? all : undefined;
      });
      assert.deepEqual(rows[1], { table: 'later', rows: 2 });
    }
  });
});
