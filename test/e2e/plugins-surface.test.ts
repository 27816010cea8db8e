import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';

const ANSWERS = `
import datetime

class Flask:
    status_code = 203
    headers = {"X-Flask": "yes"}
    def __flask_response__(self):
        return True
    def get_data(self):
        return "flask"

ANSWERS = {
    "dict": lambda: {"a": [1, "ü"], "n": None},
    "list": lambda: [1, 2],
    "str": lambda: "text",
    "status": lambda: ("made", 201),
    "headers": lambda: ("made", {"X-A": "1", "content-type": "text/plain"}),
    "all": lambda: ({"error": "no"}, 404, {"X-B": "2"}),
    "generator": lambda: (part for part in ["a", b"b", 3, "c"]),
    "flask": lambda: Flask(),
    "none": lambda: None,
    "bytes": lambda: b"abc",
    "third": lambda: ("a", 200, "no"),
    "float": lambda: ("a", 404.0),
    "date": lambda: {"d": datetime.datetime.now()},
    "bytesbody": lambda: (b"x", 200),
    "exit": lambda: exit(3),
}

def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    return ANSWERS[query_parameters["do"]]()
`;

const CACHE = `
def process_request(influxdb3_local, q, h, b, args=None):
    cache = influxdb3_local.cache
    use_global = True if q.get("scope") == "global" else None
    if q["do"] == "put":
        cache.put(q["key"], {"v": [q["value"]]}, ttl=float(q["ttl"]) if "ttl" in q else None, use_global=use_global)
        return "ok"
    if q["do"] == "delete":
        return str(cache.delete(q["key"], use_global=use_global))
    if q["do"] == "lock":
        import threading
        cache.put("lock", threading.Lock(), use_global=use_global)
        return type(cache.get("lock", use_global=use_global)).__name__
    if q["do"] == "bad":
        try:
            cache.put("x", 1, ttl=-1)
        except ValueError as error:
            return str(error)
    return str(cache.get(q["key"], "none", use_global=use_global))
`;

const CACHE_JS = `
let loads = 0;
export async function processRequest(api, { query }) {
  loads++;
  if (query.do === 'put') { await api.cache.put('k', { v: query.value }, { global: query.scope === 'global' }); return 'ok'; }
  const value = await api.cache.get('k', { global: query.scope === 'global' });
  return { value: value?.v ?? 'none', loads };
}
`;

const TICK = `
def process_scheduled_call(influxdb3_local, call_time, args=None):
    influxdb3_local.info("tick", call_time.microsecond, call_time.tzinfo, args["n"])
    influxdb3_local.write(LineBuilder("ticks").int64_field("v", 1))
`;

const SLOW = `
import { setTimeout as delay } from 'node:timers/promises';
let now = 0;
let most = 0;
export async function processRequest(api, request, args) {
  most = Math.max(most, ++now);
  do await delay(100);
  while (most < Number(request.query.together));
  now--;
  return String(most);
}
`;

async function engine(plugins: PluginServer, path: string): Promise<string> {
  return (await fetch(`${plugins.server.url}/api/v3/engine/${path}`)).text();
}

describe('what plugins can do', () => {
  test('answers of request plugins become statuses, headers and bodies', async (t) => {
    const plugins = await PluginServer.start(t, { 'answers.py': ANSWERS });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ plugin: 'answers.py', spec: 'request:a' });
    const cases: readonly [what: string, status: number, type: string | null, body: string, header?: readonly [string, string]][] = [
      ['dict', 200, 'application/json', '{"a": [1, "\\u00fc"], "n": null}'],
      ['list', 200, 'application/json', '[1, 2]'],
      ['str', 200, 'text/html', 'text'],
      ['status', 201, 'text/html', 'made'],
      ['headers', 200, 'text/plain', 'made', ['x-a', '1']],
      ['all', 404, 'application/json', '{"error": "no"}', ['x-b', '2']],
      ['generator', 200, 'text/html', 'abc'],
      ['flask', 203, null, 'flask', ['x-flask', 'yes']],
      ['bytes', 200, 'text/html', ''],
      ['float', 200, 'text/html', 'a'],
      ['bytesbody', 200, 'text/plain', "b'x'"],
    ];
    for (const [what, status, type, body, header] of cases) {
      const response = await fetch(`${plugins.server.url}/api/v3/engine/a?do=${what}`);
      const got = [response.status, response.headers.get('content-type'), await response.text()];
      assert.deepEqual(got, [status, type, body], what);
      if (header !== undefined) assert.equal(response.headers.get(header[0]), header[1]);
    }
    const failures: readonly [string, string][] = [
      ['none', 'Unsupported return type from Python function'],
      ['third', 'expected a dictionary in header item'],
      ['date', 'TypeError: Object of type datetime is not JSON serializable'],
      ['exit', 'Python function call failed: SystemExit: 3'],
      ['unknown', "Python function call failed: KeyError: 'unknown'"],
    ];
    for (const [what, error] of failures) {
      const response = await fetch(`${plugins.server.url}/api/v3/engine/a?do=${what}`);
      assert.deepEqual([response.status, await response.text()], [500, JSON.stringify({ error })], what);
    }
    for (const method of ['PUT', 'DELETE', 'PATCH']) {
      const response = await fetch(`${plugins.server.url}/api/v3/engine/a?do=str`, { method });
      assert.deepEqual([response.status, await response.text()], [404, 'Not found']);
    }
    assert.ok((await plugins.logs()).includes("ERROR error running request plugin: Python function call failed: KeyError: 'unknown'"));
  });

  test('cached values stay with their trigger, or are shared, until they expire or the trigger stops', async (t) => {
    const plugins = await PluginServer.start(t, { 'c.py': CACHE, 'c.js': CACHE_JS });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ name: 'a', plugin: 'c.py', spec: 'request:a' });
    await plugins.created({ name: 'b', plugin: 'c.py', spec: 'request:b' });
    await plugins.created({ name: 'j', plugin: 'c.js', spec: 'request:j' });
    await plugins.created({ name: 'k', plugin: 'c.js', spec: 'request:k' });
    const ask = (path: string) => engine(plugins, path);
    assert.equal(await ask('a?do=put&key=k&value=1'), 'ok');
    assert.equal(await ask('a?do=get&key=k'), "{'v': ['1']}");
    assert.equal(await ask('b?do=get&key=k'), 'none');
    assert.equal(await ask('a?do=put&key=k&value=2&scope=global'), 'ok');
    assert.equal(await ask('b?do=get&key=k&scope=global'), "{'v': ['2']}");
    assert.equal(await ask('a?do=get&key=k'), "{'v': ['1']}");
    assert.equal(await ask('a?do=put&key=gone&value=1&ttl=0'), 'ok');
    assert.equal(await ask('a?do=get&key=gone'), 'none');
    assert.equal(await ask('a?do=delete&key=gone'), 'True');
    assert.equal(await ask('a?do=delete&key=gone'), 'False');
    assert.equal(await ask('b?do=delete&key=k&scope=global'), 'True');
    assert.equal(await ask('a?do=get&key=k&scope=global'), 'none');
    assert.equal(await ask('a?do=lock'), 'lock');
    assert.equal(await ask('a?do=lock&scope=global'), 'lock');
    assert.equal(await ask('a?do=bad'), 'cannot convert float seconds to Duration: value is negative');
    await plugins.setEnabled(false, 'a');
    await plugins.setEnabled(true, 'a');
    assert.equal(await ask('a?do=get&key=k'), 'none');
    assert.equal(await ask('j?do=put&value=1'), 'ok');
    assert.equal(await ask('j?do=get'), '{"value":"1","loads":2}');
    assert.equal(await ask('k?do=get'), '{"value":"none","loads":1}');
    assert.equal(await ask('j?do=put&value=2&scope=global'), 'ok');
    assert.equal(await ask('k?do=get&scope=global'), '{"value":"2","loads":2}');
    await plugins.write('c.js', `${CACHE_JS}// changed\n`);
    assert.equal(await ask('j?do=get'), '{"value":"1","loads":1}', 'a new worker takes cached values over');
  });

  test('schedules fire, calls overlap only if they may, and a deleted database ends its triggers', async (t) => {
    const plugins = await PluginServer.start(t, { 'tick.py': TICK, 'slow.js': SLOW });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ name: 'every', plugin: 'tick.py', spec: 'every:200ms', args: { n: '1' } });
    await plugins.created({ name: 'cron', plugin: 'tick.py', spec: 'cron:* * * * * *', args: { n: '2' } });
    await plugins.created({ name: 'sync', plugin: 'slow.js', spec: 'request:sync' });
    await plugins.created({ name: 'async', plugin: 'slow.js', spec: 'request:async', runAsync: true });
    await plugins.logged('INFO tick 0 None 1');
    await plugins.logged('INFO tick 0 None 2');
    await plugins.logged(/^INFO starting execution with scheduled time \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
    await plugins.rowsOf('db', 'SELECT v FROM ticks', 3);
    const four = (path: string) => Promise.all([1, 2, 3, 4].map(() => engine(plugins, path)));
    assert.deepEqual(await four('sync?together=1'), ['1', '1', '1', '1']);
    assert.deepEqual(await four('async?together=4'), ['4', '4', '4', '4']);
    const response = await fetch(`${plugins.server.url}/api/v3/configure/database?db=db`, { method: 'DELETE' });
    assert.equal(response.status, 200);
    assert.equal(await engine(plugins, 'sync'), '{error: "not found"}');
    const rows = (await plugins.logs('_internal')).length;
    const metrics = await (await fetch(`${plugins.server.url}/metrics`)).text();
    assert.ok(!metrics.includes('influxdb3_trigger_runs_total{'), metrics);
    await plugins.server.writeOk('db', 'cpu v=1');
    assert.ok((await plugins.logs('_internal')).length - rows < 5);
  });

  test('telemetry counts triggers by kind and their calls, but no dry runs, queries or writes of plugins', async (t) => {
    const asks =
      'def process_request(a, q, h, b, args=None):\n    a.query("SELECT 1")\n    a.write(LineBuilder("w").int64_field("v", 1))\n    return "x"\n';
    const count = 'def process_writes(a, b, args=None):\n    a.info("called")\n';
    const plugins = await PluginServer.start(t, { 'asks.py': asks, 'lib/count.py': count, 'tick.py': TICK }, { args: ['--test-mode'] });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ name: 'r', plugin: 'asks.py', spec: 'request:r' });
    await plugins.created({ name: 'one', plugin: 'lib/count.py', spec: 'table:cpu' });
    await plugins.created({ name: 'all', plugin: 'lib/count.py', spec: 'all_tables', disabled: true });
    await plugins.created({ name: 'at', plugin: 'tick.py', spec: 'cron:0 0 0 1 1 *' });
    await plugins.write('lib/tock.py', TICK);
    await plugins.created({ name: 'every', plugin: 'lib/tock.py', spec: 'every:50ms', args: { n: '3' } });
    await plugins.rowsOf('db', "SELECT 1 FROM system.processing_engine_logs WHERE log_text LIKE 'tick % 3'", 2);
    assert.equal((await plugins.setEnabled(false, 'every')).status, 200);
    await plugins.server.writeOk('db', 'cpu v=2');
    await plugins.logged('INFO called');
    for (const n of [1, 2]) {
      assert.equal(await engine(plugins, 'r'), 'x');
      assert.deepEqual(
        await plugins.server.rows('db', 'SELECT count(*) AS n FROM w'),
        [{ n }],
        'what was queued is there before the answer',
      );
    }
    await plugins.request('POST', '/api/v3/plugin_test/wal', { filename: 'lib/count.py', database: 'db', input_lp: 'a b=1' });
    await plugins.request('POST', '/api/v3/plugin_test/schedule', { filename: 'tick.py', database: 'db', input_arguments: { n: '0' } });
    const snapshot = JSON.parse((await plugins.request('GET', '/api/v3/test/telemetry_snapshot')).text) as Record<string, unknown>;
    assert.deepEqual(
      [
        snapshot['wal_single_triggers_count'],
        snapshot['wal_all_triggers_count'],
        snapshot['schedule_triggers_count'],
        snapshot['request_triggers_count'],
      ],
      [1, 1, 2, 1],
    );
    const invocations = snapshot['plugin_trigger_invocations'] as readonly Record<string, unknown>[];
    const [scheduled] = invocations.filter(({ trigger_name }) => trigger_name === 'every');
    const fires = (await plugins.logs('db', 'every')).filter((row) => row.includes('starting execution')).length;
    assert.deepEqual([scheduled?.['trigger_type'], scheduled?.['invocation_count']], ['process_scheduled_call', fires]);
    const others = invocations.filter((invocation) => invocation !== scheduled);
    assert.deepEqual(others, [
      { database_name: 'db', trigger_name: 'r', plugin_name: 'asks', trigger_type: 'process_request', invocation_count: 2 },
      { database_name: 'db', trigger_name: 'one', plugin_name: 'count', trigger_type: 'process_writes', invocation_count: 1 },
    ]);
    const specs = await plugins.server.rows(
      'db',
      'SELECT trigger_name, trigger_specification, disabled FROM system.processing_engine_triggers',
    );
    assert.deepEqual(specs, [
      { trigger_name: 'r', trigger_specification: '{"request_path":{"path":"r"}}', disabled: false },
      { trigger_name: 'one', trigger_specification: '{"single_table_wal_write":{"table_name":"cpu"}}', disabled: false },
      { trigger_name: 'all', trigger_specification: '"all_tables_wal_write"', disabled: true },
      { trigger_name: 'at', trigger_specification: '{"schedule":{"schedule":"0 0 0 1 1 *"}}', disabled: false },
      { trigger_name: 'every', trigger_specification: '{"every":{"duration":{"secs":0,"nanos":50000000}}}', disabled: true },
    ]);
    const metrics = await (await fetch(`${plugins.server.url}/metrics`)).text();
    assert.match(metrics, /^influxdb3_trigger_runs_total\{db="db",trigger="r"\} 2$/m);
    assert.match(metrics, /^influxdb3_trigger_host_starts_total\{db="db",trigger="one"\} 1$/m);
  });
});
