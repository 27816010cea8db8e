import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';
import { isRunning, processEnd } from '../support/processes.ts';
import { until } from '../support/until.ts';

const FAILS_AFTER_WRITE = `
def process_writes(influxdb3_local, table_batches, args=None):
    influxdb3_local.info("before")
    influxdb3_local.write_sync(LineBuilder("kept").int64_field("v", 1), no_sync=False)
    influxdb3_local.write(LineBuilder("lost").int64_field("v", 1))
    raise ValueError("on purpose")
`;

const HANGS = `
import time
def process_request(influxdb3_local, q, h, b, args=None):
    what = q.get("do")
    if what == "pid":
        import os
        return {"pid": os.getpid()}
    if what == "exit":
        import os
        os._exit(1)
    if what == "segv":
        import os, signal
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(2)
    if what == "print":
        import os
        for _ in range(20):
            print("x" * 500000)
        os.write(1, b"\\xff\\xfe not text\\n")
        return "printed"
    if what == "loop":
        while True:
            pass
    if what == "compute":
        import re
        influxdb3_local.info("computes")
        re.match("(a+)+$", "a" * 200 + "b")
    if what == "child":
        import subprocess
        return {"child": subprocess.Popen(["sleep", "1000"]).pid}
    if what == "memory":
        return str(len(bytearray(4 << 30)))
    return "fine"
`;

const ASKS = `
import time
def process_request(influxdb3_local, q, h, b, args=None):
    influxdb3_local.info("asks in Python")
    try:
        while True:
            influxdb3_local.query("SELECT 1")
    except KeyboardInterrupt as error:
        time.sleep(1)
        print("Python was told: %s" % error, flush=True)
        raise
`;

const ASKS_JS = `
export async function processRequest(api) {
  api.info('asks in JavaScript');
  try {
    for (;;) await api.query('SELECT 1');
  } catch (error) {
    console.log('JavaScript was told: ' + error.message);
    throw error;
  }
}
`;

describe('plugins that fail', () => {
  test('what was queued is dropped, what was written and logged stays, and the trigger goes on', async (t) => {
    const plugins = await PluginServer.start(t, {
      'fails.py': FAILS_AFTER_WRITE,
      'empty.py': 'x = 1\n',
      'bad.py': 'def process_writes(a):\n  x\n    y\n',
      'few.py': 'def process_writes(a, b):\n    pass\n',
      'line.py':
        'def process_writes(api, b, args=None):\n    api.write(LineBuilder("good").int64_field("v", 1))\n    api.write(LineBuilder("bad").int64_field("v", 1.5))\n',
      'throws.js': 'export function processWrites() { throw new RangeError("js"); }',
    });
    await plugins.server.writeOk('db', 'other v=1');
    const spec = 'table:cpu';
    await plugins.created({ name: 'fails', plugin: 'fails.py', spec });
    await plugins.created({ name: 'empty', plugin: 'empty.py', spec });
    await plugins.created({ name: 'bad', plugin: 'bad.py', spec });
    await plugins.created({ name: 'few', plugin: 'few.py', spec });
    await plugins.created({ name: 'line', plugin: 'line.py', spec });
    await plugins.created({ name: 'throws', plugin: 'throws.js', spec });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.logged('ERROR error executing wal plugin: ValueError: on purpose');
    await plugins.logged(
      'ERROR error executing wal plugin: the process_writes function is not present in the plugin. ' +
        'Should be defined as: process_writes(influxdb3_local, table_batches, args=None)',
    );
    await plugins.logged('ERROR error executing wal plugin: IndentationError: unexpected indent (<string>, line 3)');
    await plugins.logged('ERROR error executing wal plugin: TypeError: process_writes() takes 2 positional arguments but 3 were given');
    await plugins.logged(/^ERROR error running wal plugin: error writing back lines to db: Cannot write: line protocol parse failed: /);
    await plugins.logged('ERROR error executing wal plugin: RangeError: js');
    await plugins.logged('INFO before');
    assert.deepEqual(await plugins.rowsOf('db', 'SELECT v FROM kept'), [{ v: 1 }]);
    const tables = (await plugins.server.rows('db', 'SHOW TABLES')).map(({ table_name }) => table_name);
    assert.ok(!tables.includes('lost') && !tables.includes('good'), String(tables));
    await plugins.server.writeOk('db', 'cpu v=2');
    await plugins.rowsOf('db', 'SELECT v FROM kept', 2);
  });

  test('retry tries until the file is mended, disable is kept in the catalog', async (t) => {
    const broken = 'def process_writes(api, b, args=None):\n    raise ValueError("broken")\n';
    const plugins = await PluginServer.start(t, { 'retry.py': broken, 'off.py': broken });
    await plugins.server.writeOk('db', 'other v=1');
    await plugins.created({ name: 'retry', plugin: 'retry.py', spec: 'table:cpu', errorBehavior: 'retry' });
    await plugins.created({ name: 'off', plugin: 'off.py', spec: 'table:cpu', errorBehavior: 'disable' });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.logged('WARN retrying trigger retry after error (attempt 2): ValueError: broken');
    await plugins.write('retry.py', 'def process_writes(api, b, args=None):\n    api.info("mended", len(b[0]["rows"]))\n');
    await plugins.logged('INFO mended 1');
    await plugins.logged('ERROR error executing wal plugin: ValueError: broken');
    const states = await plugins.rowsOf(
      'db',
      "SELECT trigger_name FROM system.processing_engine_triggers WHERE disabled AND error_behavior = 'disable'",
    );
    assert.deepEqual(states, [{ trigger_name: 'off' }]);
    await plugins.write('off.py', 'def process_writes(api, b, args=None):\n    api.info("on again")\n');
    assert.equal((await plugins.setEnabled(true, 'off')).status, 200);
    await plugins.server.writeOk('db', 'cpu v=2');
    await plugins.logged('INFO on again');
    await plugins.write('retry.py', broken);
    await plugins.server.writeOk('db', 'cpu v=3');
    await plugins.logged('WARN retrying trigger retry after error (attempt 1): ValueError: broken');
    assert.equal((await plugins.setEnabled(false, 'retry')).status, 200);
    assert.equal((await plugins.delete('retry')).status, 200);
  });

  test('a process that dies, hangs, prints or eats memory harms nothing but its own call, and nothing of it is left', async (t) => {
    const files = { 'h.py': HANGS, 'asks.py': ASKS, 'asks.js': ASKS_JS };
    const plugins = await PluginServer.start(t, files, { args: ['--plugin-memory-limit', '1GB'] });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ name: 'h', plugin: 'h.py', spec: 'request:h' });
    const ask = async (what: string): Promise<[number, string]> => {
      const response = await fetch(`${plugins.server.url}/api/v3/engine/h?do=${what}`);
      return [response.status, await response.text()];
    };
    assert.deepEqual(await ask('exit'), [500, '{"error":"plugin process exited unexpectedly (code 1)"}']);
    assert.deepEqual(await ask('print'), [200, 'printed']);
    assert.deepEqual(await ask('segv'), [500, '{"error":"plugin process exited unexpectedly (SIGSEGV)"}']);
    assert.deepEqual(await ask('memory'), [500, '{"error":"Python function call failed: MemoryError: "}']);
    const pid = (JSON.parse((await ask('pid'))[1]) as { pid: number }).pid;
    const child = (JSON.parse((await ask('child'))[1]) as { child: number }).child;
    assert.ok((await isRunning(pid)) && (await isRunning(child)));
    process.kill(pid, 'SIGKILL');
    await processEnd(child);
    // after three quick deaths the next process may have to wait
    await until(async () => (await ask('x'))[0] === 200);
    await plugins.server.writeOk('db', 'cpu v=2');
    const last = (JSON.parse((await ask('pid'))[1]) as { pid: number }).pid;
    // At a stop, what calls ask for raises at once, and they may clean up.
    const asking = ['asks.py', 'asks.js'].map(async (plugin) => {
      await plugins.created({ name: plugin, plugin, spec: `request:${plugin}`, errorBehavior: 'disable' });
      const response = await fetch(`${plugins.server.url}/api/v3/engine/${plugin}`);
      return [response.status, await response.text()];
    });
    for (const language of ['Python', 'JavaScript']) await plugins.logged(`INFO asks in ${language}`);
    assert.equal(await plugins.server.kill('SIGTERM'), 0);
    for (const language of ['Python', 'JavaScript']) {
      await plugins.server.says(`${language} was told: influxdb3 is shutting down; aborting plugin execution`);
    }
    for (const [status] of await Promise.all(asking)) assert.equal(status, 503);
    await processEnd(last);
  });

  test('a call that takes too long is ended, in both languages, and the next one is answered', async (t) => {
    const files = {
      'loop.py': HANGS,
      'loop.js': 'export function processRequest(api, { query }) { while (query.do === "loop"); return "fine"; }',
    };
    const plugins = await PluginServer.start(t, files, { args: ['--plugin-invocation-timeout', '2s'] });
    await plugins.server.writeOk('db', 'cpu v=1');
    const ask = async (plugin: string, what: string): Promise<[number, string]> => {
      const response = await fetch(`${plugins.server.url}/api/v3/engine/${plugin}?do=${what}`);
      return [response.status, await response.text()];
    };
    await Promise.all(
      Object.keys(files).map(async (plugin) => {
        await plugins.created({ name: plugin, plugin, spec: `request:${plugin}` });
        assert.deepEqual(await ask(plugin, 'loop'), [504, '{"error":"plugin execution timed out after 2s"}']);
        await until(async () => (await ask(plugin, 'x'))[1] === 'fine'); // its start counts too
      }),
    );
  });

  test('a plugin that is slower than its writes misses some, in both languages, and no write waits for it', async (t) => {
    const files = {
      'slow.py': `
import os, time
def process_writes(api, batches, args=None):
    api.info("rows", sum(len(batch["rows"]) for batch in batches))
    while os.path.exists(args["while"]):
        time.sleep(0.02)
`,
      'slow.js': `
import { existsSync } from 'node:fs';
export function processWrites(api, batches, args) {
  api.info('rows', batches[0].rows.length);
  while (existsSync(args.while)); // not even its own thread does anything else
}
`,
    };
    const plugins = await PluginServer.start(t, { ...files, gate: '' }, { args: ['--plugin-queue-limit', '1'] });
    await plugins.server.writeOk('db', 'cpu v=1');
    const args = { while: join(plugins.pluginDir, 'gate') };
    for (const plugin of Object.keys(files)) await plugins.created({ name: plugin, plugin, spec: 'all_tables', args });
    await plugins.server.writeOk('db', 'cpu v=2');
    const has = async (plugin: string, row: RegExp): Promise<boolean> => (await plugins.logs('db', plugin)).some((text) => row.test(text));
    for (const plugin of Object.keys(files)) await until(() => has(plugin, /^INFO rows 1$/));
    for (let at = 0; at < 5; at++) await plugins.server.writeOk('db', `cpu v=${at}`);
    for (const plugin of Object.keys(files)) {
      await until(() => has(plugin, /^ERROR wal batch skipped: trigger queue is full \(1 batches, \d+ bytes\); 1 skipped/));
      const metrics = await (await fetch(`${plugins.server.url}/metrics`)).text();
      assert.ok(metrics.includes(`influxdb3_trigger_batches_skipped_total{db="db",trigger="${plugin}"} 4\n`), metrics);
    }
    assert.deepEqual(await plugins.server.rows('db', 'SELECT count(*) AS n FROM cpu'), [{ n: 7 }]);
  });

  test('a server that is killed leaves no process behind, even of a call that computes and lets nothing else run', async (t) => {
    const plugins = await PluginServer.start(t, { 'h.py': HANGS });
    await plugins.server.writeOk('db', 'cpu v=1');
    for (const name of ['idle', 'busy']) await plugins.created({ name, plugin: 'h.py', spec: `request:${name}` });
    const ask = async (path: string): Promise<{ pid: number; child: number }> =>
      (await (await fetch(`${plugins.server.url}/api/v3/engine/${path}`)).json()) as { pid: number; child: number };
    const pids = [(await ask('idle?do=pid')).pid, (await ask('busy?do=pid')).pid, (await ask('busy?do=child')).child];
    for (const pid of pids) assert.ok(await isRunning(pid));
    const cut = assert.rejects(ask('busy?do=compute'), TypeError);
    await plugins.logged('INFO computes');
    await plugins.server.kill('SIGKILL');
    await cut;
    for (const pid of pids) await processEnd(pid);
  });
});
