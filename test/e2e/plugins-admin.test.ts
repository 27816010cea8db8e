import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Answer, PluginServer } from '../support/plugins.ts';
import { startServer } from '../support/server.ts';
import { until } from '../support/until.ts';

const ECHO = `
def process_request(influxdb3_local, q, h, b, args=None):
    return "one"
`;

const DRY = `
def process_writes(influxdb3_local, table_batches, args=None):
    for batch in table_batches:
        influxdb3_local.info(batch["table_name"], batch["rows"], args)
    influxdb3_local.write(LineBuilder("queued").int64_field("v", 1))
    influxdb3_local.write_sync(LineBuilder("sync").int64_field("v", 1), True)
    influxdb3_local.write_to_db("other", LineBuilder("cpu").string_field("v", "text"))
    influxdb3_local.warn(influxdb3_local.cache.get("seen", 0))
    influxdb3_local.cache.put("seen", influxdb3_local.cache.get("seen", 0) + 1)
`;

const SCHEDULED = `
def process_scheduled_call(influxdb3_local, call_time, args=None):
    influxdb3_local.info(type(call_time).__name__, call_time.tzinfo, call_time.microsecond, args)
`;

/** Makes a file that `pip` can install without a network. */
const WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as file:
    info = "tiny_plugin_pack-1.dist-info/"
    file.writestr("tinypack.py", "x = 'installed'\\n")
    file.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tiny-plugin-pack\\nVersion: 1\\n")
    file.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    file.writestr(info + "RECORD", "")
`;

async function engine(plugins: PluginServer, path: string): Promise<[number, string]> {
  const response = await fetch(`${plugins.server.url}/api/v3/engine/${path}`);
  return [response.status, await response.text()];
}

function json({ status, text }: Answer): unknown {
  assert.equal(status, 200, text);
  return JSON.parse(text.replace(/finished execution in [^"]*/, 'finished'));
}

describe('administration of plugins', () => {
  test('names outside the directory, bad specifications and unknown databases are refused in order', async (t) => {
    const plugins = await PluginServer.start(t, { 'echo.py': ECHO, 'pkg/helper.py': 'x = 1\n', '../outside.py': ECHO, 'in/real.py': ECHO });
    symlinkSync(join(plugins.dataDir, 'outside.py'), join(plugins.pluginDir, 'link.py'));
    symlinkSync(join(plugins.pluginDir, 'in', 'real.py'), join(plugins.pluginDir, 'inner.py'));
    await plugins.server.writeOk('db', 'cpu v=1');
    const spec = 'request:r';
    for (const name of ['../outside.py', 'in/../../outside.py', 'in/../echo.py', '/etc/hosts', 'link.py', 'C:\\x.py']) {
      const text = `Path traversal detected: plugin filename '${name}' attempts to access files outside the plugin directory`;
      assert.deepEqual(await plugins.create({ plugin: name, spec }), { status: 500, text: `Plugin error: ${text}` });
      const upload = await plugins.request('POST', '/api/v3/plugins/files', { plugin_name: name, content: 'x' });
      assert.deepEqual(upload, { status: 500, text: `Processing engine error: plugin error: ${text}` });
    }
    const missing = join(plugins.pluginDir, 'no.py');
    const none = join(plugins.pluginDir, 'pkg');
    const cases: readonly [plugin: string, spec: string, db: string, status: number, text: string][] = [
      ['no.py', 'x', 'no', 500, `Plugin error: reading plugin file: Plugin not found: ${missing}`],
      ['pkg/', spec, 'db', 500, `Plugin error: reading plugin file: Multi-file plugin directory must contain __init__.py: ${none}`],
      ['echo.py', 'table: ', 'no', 400, 'failed to parse trigger from table:: table name is empty'],
      ['echo.py', 'every:0s', 'no', 400, "failed to parse trigger from every:0s: couldn't parse to duration"],
      ['echo.py', 'every:2y', 'no', 400, "failed to parse trigger from every:2y: don't support every schedules of over 1 year"],
      ['echo.py', spec, 'no', 404, 'Database not found no'],
      ['echo.py', spec, '_internal', 500, 'cannot modify internal db'],
      ['inner.py', spec, 'db', 200, ''],
      ['echo.py', spec, 'db', 409, 'attempted to create a resource that already exists'],
    ];
    for (const [plugin, text, db, status, answer] of cases) {
      assert.deepEqual(await plugins.create({ plugin, spec: text, db }), { status, text: answer }, `${plugin} ${text} ${db}`);
    }
    const running = 'Cannot delete running plugin t. Disable it first or use --force.';
    assert.deepEqual(await plugins.delete(), { status: 500, text: running });
    assert.deepEqual(await plugins.delete('none'), { status: 404, text: 'the requested resource was not found: none' });
    assert.equal((await plugins.setEnabled(true)).status, 200);
    assert.deepEqual(await engine(plugins, 'r'), [200, 'one']);
    await plugins.created({ name: 'newer', plugin: 'echo.py', spec });
    assert.equal((await plugins.delete('newer', true)).status, 200);
    assert.deepEqual(await engine(plugins, 'r'), [200, 'one'], 'the older trigger has the path again');
    assert.equal((await plugins.setEnabled(false)).status, 200);
    assert.equal((await engine(plugins, 'r'))[0], 404);
    assert.equal((await plugins.delete()).status, 200);
  });

  test('kinds that are not allowed cannot be created, and without a plugin directory nothing can', async (t) => {
    const plugins = await PluginServer.start(t, { 'echo.py': ECHO }, { args: ['--restrict-plugin-triggers-to', 'schedule'] });
    await plugins.server.writeOk('db', 'cpu v=1');
    for (const [spec, kind] of [
      ['all_tables', 'WalRows'],
      ['request:x', 'Request'],
    ] as const) {
      const text = `invalid request: server is configured to reject ${kind} plugin triggers`;
      assert.deepEqual(await plugins.create({ plugin: 'echo.py', spec }), { status: 400, text });
    }
    await plugins.created({ plugin: 'echo.py', spec: 'cron:0 0 0 1 1 * 2020' });
    await plugins.server.kill();
    const off = await startServer(t, plugins.dataDir, { args: ['--test-mode'] });
    const post = async (path: string, body: unknown): Promise<string> => {
      const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      return (await fetch(`${off.url}${path}`, init)).text();
    };
    const trigger = { db: 'db', plugin_filename: 'gh:x.py', trigger_name: 'x', trigger_specification: 'all_tables' };
    const noDirectory = 'Node not configured with plugin directory';
    assert.equal(await post('/api/v3/configure/processing_engine_trigger', trigger), `Plugin error: ${noDirectory}`);
    const dry = { filename: 'x.py', database: 'db', input_lp: 'a b=1' };
    assert.equal(await post('/api/v3/plugin_test/wal', dry), `Plugin error: ${noDirectory}`);
    const upload = await post('/api/v3/plugins/files', { plugin_name: 'x.py', content: '' });
    assert.equal(upload, 'Processing engine error: plugin error: No plugin directory configured');
    const snapshot = (await (await fetch(`${off.url}/api/v3/test/telemetry_snapshot`)).json()) as Record<string, unknown>;
    assert.deepEqual(snapshot['installed_packages'], []);
  });

  test('files and directories are uploaded, replaced, listed, and run as they are then', async (t) => {
    const plugins = await PluginServer.start(t, {});
    await plugins.server.writeOk('db', 'cpu v=1');
    const upload = async (method: string, path: string, body: unknown): Promise<void> => {
      assert.deepEqual(await plugins.request(method, `/api/v3/plugins/${path}`, body), { status: 200, text: '' });
    };
    await upload('POST', 'files?db=db', { plugin_name: 'a/one.py', content: ECHO });
    await upload('POST', 'files', {
      plugin_name: 'pkg/__init__.py',
      content: 'from .part import text\n\ndef process_request(a, q, h, b, args=None):\n    return text\n',
    });
    await upload('POST', 'files', { plugin_name: 'pkg/part.py', content: 'text = "first"\n' });
    await plugins.created({ name: 'single', plugin: 'a/one.py', spec: 'request:single' });
    await plugins.created({ name: 'multi', plugin: 'pkg/', spec: 'request:multi' });
    assert.deepEqual(await engine(plugins, 'single'), [200, 'one']);
    assert.deepEqual(await engine(plugins, 'multi'), [200, 'first']);
    await upload('PUT', 'files?db=db', { plugin_name: 'single', content: ECHO.replace('"one"', '"two"') });
    assert.deepEqual(await engine(plugins, 'single'), [200, 'two']);
    await plugins.write('pkg/part.py', 'text = "second"\n');
    assert.deepEqual(await engine(plugins, 'multi'), [200, 'second']);
    const files = [{ relative_path: '__init__.py', content: 'def process_request(a, q, h, b, args=None):\n    return "third"\n' }];
    await upload('PUT', 'directory', { plugin_name: 'multi', files });
    assert.deepEqual(await engine(plugins, 'multi'), [200, 'third']);
    assert.deepEqual(readdirSync(join(plugins.pluginDir, 'pkg')), ['__init__.py']);
    assert.deepEqual(readdirSync(plugins.pluginDir).sort(), ['a', 'pkg']);
    // Of uploads at once one is there in the end, whole and without files of others.
    const version = (n: number): { relative_path: string; content: string }[] => [
      ...Array.from({ length: 10 }, (_, i) => ({ relative_path: `own${n}_${i}.py`, content: `text = "${n}"\n` })),
      {
        relative_path: '__init__.py',
        content: `from .own${n}_9 import text\n\ndef process_request(a, q, h, b, args=None):\n    return text\n`,
      },
    ];
    await Promise.all([1, 2, 3, 4].map((n) => upload('PUT', 'directory', { plugin_name: 'multi', files: version(n) })));
    const [, kept] = await engine(plugins, 'multi');
    assert.deepEqual(
      readdirSync(join(plugins.pluginDir, 'pkg')).sort(),
      version(Number(kept))
        .map(({ relative_path }) => relative_path)
        .sort(),
    );
    await upload('PUT', 'directory', { plugin_name: 'multi', files });
    assert.deepEqual(readdirSync(plugins.pluginDir).sort(), ['a', 'pkg']);
    const bad = await plugins.request('PUT', '/api/v3/plugins/directory', {
      plugin_name: 'multi',
      files: [{ relative_path: '../x.py', content: '' }],
    });
    assert.match(bad.text, /^Processing engine error: plugin error: Path traversal detected: /);
    assert.deepEqual(readdirSync(plugins.pluginDir).sort(), ['a', 'pkg']);
    const unknown = await plugins.request('PUT', '/api/v3/plugins/files', { plugin_name: 'none', content: '' });
    assert.deepEqual(unknown, { status: 500, text: 'Processing engine error: plugin error: Plugin not found: none' });
    const listed = await plugins.server.rows('_internal', 'SELECT plugin_name, file_name, file_path, size_bytes FROM system.plugin_files');
    assert.deepEqual(
      listed.map(({ plugin_name, file_name, file_path }) => [plugin_name, file_name, file_path]),
      [
        ['single', 'a/one.py', join(plugins.pluginDir, 'a/one.py')],
        ['multi', '__init__.py', join(plugins.pluginDir, 'pkg/__init__.py')],
      ],
    );
    assert.equal(readFileSync(join(plugins.pluginDir, 'a/one.py'), 'utf8').length, Number(listed[0]?.['size_bytes']));
  });

  test('dry runs show what a plugin would do and store nothing', async (t) => {
    const broken = 'def process_writes(a, b, args=None):\n    return missing\n';
    const plugins = await PluginServer.start(t, {
      'dry.py': DRY,
      'at.py': SCHEDULED,
      'bad.py': broken,
      'dry.js': 'export function processWrites(api, b) { api.info(b[0].rows.length); api.write("x y=1"); }',
    });
    await plugins.server.writeOk('other', 'cpu v=1i');
    const wal = (body: object) =>
      plugins.request('POST', '/api/v3/plugin_test/wal', { database: 'db', input_lp: 'cpu,host=a v=1 5', ...body });
    const error =
      'line protocol parse error on write to db other: WriteLineError { original_line: "cpu v=text", line_number: 1, ' +
      'error_message: "invalid column type for column \'v\', expected iox::column_type::field::integer, got iox::column_type::field::string" }';
    const expected = (seen: number): object => ({
      log_lines: [
        'INFO: starting execution of wal plugin.',
        "INFO: cpu [{'host': 'a', 'v': 1.0, 'time': 5}] {'a': 'b'}",
        `WARN: ${seen}`,
        'INFO: finished',
      ],
      database_writes: { db: ['sync v=1i', 'queued v=1i'], other: ['cpu v="text"'] },
      errors: [error],
    });
    assert.deepEqual(json(await wal({ filename: 'dry.py', input_arguments: { a: 'b' } })), expected(0));
    assert.deepEqual(json(await wal({ filename: 'dry.py', input_arguments: { a: 'b' } })), expected(1));
    assert.deepEqual(json(await wal({ filename: 'dry.py', input_arguments: { a: 'b' }, cache_name: 'mine' })), expected(0));
    assert.deepEqual(json(await wal({ filename: 'bad.py' })), {
      log_lines: [],
      database_writes: {},
      errors: ["error executing plugin: NameError: name 'missing' is not defined"],
    });
    assert.deepEqual((json(await wal({ filename: 'dry.py', input_lp: 'cpu' })) as { errors: unknown }).errors, [
      'line protocol parse failed: Expected at least one space character, got end of input',
    ]);
    assert.deepEqual(json(await wal({ filename: 'dry.js' })), {
      log_lines: ['INFO: starting execution of wal plugin.', 'INFO: 1', 'INFO: finished'],
      database_writes: { db: ['x y=1'] },
      errors: [],
    });
    assert.deepEqual(await wal({ filename: 'no.py' }), {
      status: 500,
      text: `Plugin error: reading plugin file: Plugin not found: ${join(plugins.pluginDir, 'no.py')}`,
    });
    const schedule = (body: object) =>
      plugins.request('POST', '/api/v3/plugin_test/schedule', { filename: 'at.py', database: 'other', ...body });
    const ran = json(await schedule({ input_arguments: { region: 'us-east' }, schedule: '0 0 0 1 1 *' })) as Record<string, unknown>;
    assert.deepEqual(Object.keys(ran), ['trigger_time', 'log_lines', 'database_writes', 'errors']);
    assert.match(String(ran['trigger_time']), /^\d{4}-01-01T00:00:00Z$/);
    assert.equal((ran['log_lines'] as string[])[1], "INFO: datetime None 0 {'region': 'us-east'}");
    assert.deepEqual((json(await schedule({ database: 'no' })) as { errors: unknown }).errors, ["couldn't find db"]);
    assert.deepEqual((json(await schedule({ schedule: '0 0 0 1 1 * 2020' })) as { errors: unknown }).errors, [
      'cron schedule never triggers: 0 0 0 1 1 * 2020',
    ]);
    assert.deepEqual(await plugins.server.rows('_internal', 'SELECT * FROM system.processing_engine_logs'), []);
    const databases = await fetch(`${plugins.server.url}/api/v3/configure/database?format=csv`);
    assert.equal(await databases.text(), 'iox::database\n_internal\nother\n');
  });

  test('gh: plugins come from the repository when the trigger is created and when it starts', async (t) => {
    let text = 'one';
    const asked: string[] = [];
    const repository = createServer((request, response) => {
      asked.push(request.url ?? '');
      if (request.url === '/repo/typed.ts') response.end('export const processRequest = (_: unknown): string => "typed";');
      else if (request.url === '/repo/dir/echo.py') response.end(ECHO.replace('"one"', `"${text}"`));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => repository.listen(0, '127.0.0.1', resolve));
    t.after(async () => void repository.close());
    const url = `http://127.0.0.1:${(repository.address() as AddressInfo).port}/repo`;
    const plugins = await PluginServer.start(t, {}, { args: ['--plugin-repo', url] });
    await plugins.server.writeOk('db', 'cpu v=1');
    const missing = await plugins.create({ plugin: 'gh:no.py', spec: 'request:gh' });
    const refusal = `Plugin error: error fetching plugin from repository: 404 Not Found ${url}/no.py`;
    assert.deepEqual(missing, { status: 500, text: refusal });
    await plugins.created({ plugin: 'gh:dir/echo.py', spec: 'request:gh' });
    assert.deepEqual(await engine(plugins, 'gh'), [200, 'one']);
    await plugins.created({ name: 'typed', plugin: 'gh:typed.ts', spec: 'request:typed' });
    assert.deepEqual(await engine(plugins, 'typed'), [200, 'typed']);
    text = 'two';
    const before = asked.length;
    assert.deepEqual(await engine(plugins, 'gh'), [200, 'one']);
    assert.equal(asked.length, before, 'a running trigger keeps its code');
    await plugins.setEnabled(false);
    await plugins.setEnabled(true);
    assert.deepEqual(await engine(plugins, 'gh'), [200, 'two']);
    const update = await plugins.request('PUT', '/api/v3/plugins/files', { plugin_name: 't', content: 'x' });
    assert.deepEqual(update, { status: 500, text: 'Processing engine error: plugin error: trigger t uses a remote plugin' });
  });

  test('packages are installed into the environment of the plugins, which get them at their next call, unless that is forbidden', async (t) => {
    const asks = `
def process_request(a, q, h, b, args=None):
    import os, sys
    try:
        import tinypack
        return [os.getpid(), sys.prefix, tinypack.x]
    except ImportError:
        return [os.getpid(), sys.prefix, None]
`;
    const plugins = await PluginServer.start(
      t,
      { 'asks.py': asks, 'req.txt': 'no-such-package-at-all @ file:///none\n' },
      { args: ['--test-mode'] },
    );
    const wheel = 'tiny_plugin_pack-1-py3-none-any.whl';
    const python = (...args: string[]): void => void execFileSync('python3', args, { cwd: plugins.pluginDir });
    python('-c', WHEEL, wheel);
    // What a server leaves that is killed while it makes the environment: an interpreter without pip.
    python('-m', 'venv', '--without-pip', '.venv');
    rmSync(join(plugins.pluginDir, '.venv/bin/activate'));
    const install = (what: string, body: unknown) => plugins.request('POST', `/api/v3/configure/plugin_environment/${what}`, body);
    for (const [what, body, problem] of [
      ['install_packages', { packages: ['--index-url=x'] }, "'--index-url=x' is no name of a package"],
      ['install_packages', { packages: ['x', ''] }, "'' is no name of a package"],
      ['install_requirements', { requirements_location: '--index-url=x' }, "'--index-url=x' is no requirements file"],
    ] as const) {
      const text = `Processing engine error: error installing python packages: ${problem}`;
      assert.deepEqual(await install(what, body), { status: 500, text });
    }
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ plugin: 'asks.py', spec: 'request:asks' });
    const [pid, , before] = JSON.parse((await engine(plugins, 'asks'))[1]) as unknown[];
    assert.equal(before, null);
    assert.deepEqual(await install('install_packages', { packages: [`./${wheel}`] }), { status: 200, text: '' });
    const [newPid, prefix, installed] = JSON.parse((await engine(plugins, 'asks'))[1]) as unknown[];
    assert.deepEqual([prefix, installed], [join(plugins.pluginDir, '.venv'), 'installed']);
    assert.notEqual(newPid, pid);
    const refused = await install('install_requirements', { requirements_location: 'req.txt' });
    assert.equal(refused.status, 500);
    assert.match(refused.text, /^Processing engine error: error installing python packages: .*none/);
    const names = await until(async () => {
      const snapshot = JSON.parse((await plugins.request('GET', '/api/v3/test/telemetry_snapshot')).text) as Record<string, unknown>;
      const listed = snapshot['installed_packages'] as string[];
      return listed.includes('tiny-plugin-pack') ? listed : undefined;
    });
    assert.deepEqual(names, [...new Set(names)].sort());
    await plugins.server.kill();
    const again = await PluginServer.start(t, {}, { dataDir: plugins.dataDir, args: ['--package-manager', 'disabled'] });
    for (const [what, body] of [
      ['install_packages', { packages: ['x'] }],
      ['install_requirements', { requirements_location: 'req.txt' }],
    ] as const) {
      assert.deepEqual(await again.request('POST', `/api/v3/configure/plugin_environment/${what}`, body), {
        status: 403,
        text: 'Package installation has been disabled. Contact your administrator for more information.',
      });
    }
  });

  test('without an interpreter Python plugins say what to install, and JavaScript plugins run', async (t) => {
    const javascript = 'export function processRequest() { return { fine: true, big: 9007199254740993n }; }';
    const plugins = await PluginServer.start(t, { 'p.py': ECHO, 'j.js': javascript }, { args: ['--plugin-python', 'no-python-here'] });
    await mkdir(join(plugins.pluginDir, 'empty'), { recursive: true });
    await plugins.server.writeOk('db', 'cpu v=1');
    await plugins.created({ name: 'p', plugin: 'p.py', spec: 'request:p' });
    await plugins.created({ name: 'j', plugin: 'j.js', spec: 'request:j' });
    const text = 'no-python-here not found: install Python 3.9 or newer, or name an interpreter with --plugin-python';
    assert.deepEqual(await engine(plugins, 'p'), [500, JSON.stringify({ error: text })]);
    assert.deepEqual(await engine(plugins, 'j'), [200, '{"fine":true,"big":9007199254740993}']);
  });
});
