import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';

const NS = '&precision=nanosecond';

const ROWS = `
def process_writes(influxdb3_local, table_batches, args=None):
    for batch in table_batches:
        influxdb3_local.info(batch["table_name"], len(batch["rows"]), args)
        for row in batch["rows"]:
            influxdb3_local.info(row)
        if batch["table_name"] != "report":
            line = LineBuilder("report").tag("table", batch["table_name"]).int64_field("rows", len(batch["rows"]))
            influxdb3_local.write(line)
`;

const TYPES = `
def process_writes(influxdb3_local, table_batches, args=None):
    for batch in table_batches:
        for row in batch["rows"]:
            influxdb3_local.info(sorted((name, type(value).__name__, value) for name, value in row.items()))
`;

const SURFACE = `
def process_request(influxdb3_local, query_parameters, request_headers, request_body, args=None):
    names = [name for name in dir(influxdb3_local) if not name.startswith("__")]
    try:
        influxdb3_local.extra = 1
        settable = True
    except AttributeError:
        settable = False
    rows = influxdb3_local.query("SELECT * FROM cpu WHERE host = $h ORDER BY time", {"h": "A"})
    try:
        influxdb3_local.query("SELECT * FROM missing")
        failed = None
    except Exception as error:
        failed = [type(error).__name__, str(error)]
    return {"names": names, "settable": settable, "rows": rows, "failed": failed, "q": query_parameters,
            "x": request_headers.get("x-a"), "auth": "authorization" in request_headers, "body": request_body.decode(), "args": args}
`;

describe('Python plugins', () => {
  test('rows of a line come as dicts with their types, sparse rows without what they lack', async (t) => {
    const plugins = await PluginServer.start(t, { 'rows.py': ROWS, 'types.py': TYPES });
    await plugins.server.writeOk('db', 'cpu,host=A,region=west usage=1i,system=23.2 100', NS);
    await plugins.created({ plugin: 'rows.py', spec: 'all_tables', args: { a: 'b' } });
    await plugins.server.writeOk('db', 'cpu,host=A,region=west usage=1i,system=23.2 100\ncpu,host=B system=1 101', NS);
    await plugins.logged("INFO cpu 2 {'a': 'b'}");
    await plugins.logged("INFO {'host': 'A', 'region': 'west', 'usage': 1, 'system': 23.2, 'time': 100}");
    await plugins.logged("INFO {'host': 'B', 'system': 1.0, 'time': 101}");
    assert.deepEqual(await plugins.rowsOf('db', 'SELECT "table", rows FROM report'), [{ table: 'cpu', rows: 2 }]);
    assert.deepEqual((await plugins.setEnabled(false)).status, 200);
    await plugins.created({ name: 'types', plugin: 'types.py', spec: 'table:odd' });
    const line = 'odd,t=ü😀 i=-9223372036854775808i,u=18446744073709551615u,f=-0.0,g=1,s="",b=f,z="a\\"ß" -5';
    await plugins.server.writeOk('db', line, NS);
    await plugins.logged(
      "INFO [('b', 'bool', False), ('f', 'float', -0.0), ('g', 'float', 1.0), ('i', 'int', -9223372036854775808), " +
        "('s', 'str', ''), ('t', 'str', 'ü😀'), ('time', 'int', -5), ('u', 'int', 18446744073709551615), ('z', 'str', 'a\"ß')]",
    );
  });

  test('a request plugin sees its request, queries, and answers', async (t) => {
    const plugins = await PluginServer.start(t, { 'surface.py': SURFACE });
    await plugins.server.writeOk('db', 'cpu,host=A v=1i 100\ncpu,host=A s="x" 200\ncpu,host=B v=2i 300', NS);
    await plugins.created({ plugin: 'surface.py', spec: 'request:hook/a', args: {} });
    const response = await fetch(`${plugins.server.url}/api/v3/engine/hook/a?x=1&x=2&y=a%20b+c`, {
      method: 'POST',
      headers: { 'X-A': 'yes', authorization: 'Bearer x' },
      body: 'hello',
    });
    assert.equal(response.headers.get('content-type'), 'application/json');
    const answer = (await response.json()) as Record<string, unknown>;
    assert.deepEqual(answer, {
      names: ['cache', 'error', 'info', 'query', 'warn', 'write', 'write_sync', 'write_sync_to_db', 'write_to_db'],
      settable: false,
      rows: [
        { host: 'A', s: null, time: 100, v: 1 },
        { host: 'A', s: 'x', time: 200, v: null },
      ],
      failed: [
        'QueryError',
        "error: Error during planning: table 'public.iox.missing' not found executing query on db: SELECT * FROM missing",
      ],
      q: { x: '2', y: 'a b c' },
      x: 'yes',
      auth: false,
      body: 'hello',
      args: {},
    });
    const missing = await fetch(`${plugins.server.url}/api/v3/engine/none`);
    assert.deepEqual([missing.status, await missing.text()], [404, '{error: "not found"}']);
  });
});
