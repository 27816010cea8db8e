import assert from 'node:assert/strict';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PluginServer } from '../support/plugins.ts';
import { processEnd } from '../support/processes.ts';
import { until } from '../support/until.ts';

const FILES = {
  'broken.py': `
def process_writes(influxdb3_local, table_batches, args=None):
    influxdb3_local.warn("got", len(table_batches[0]["rows"]))
    raise ValueError("broken")

def process_scheduled_call(influxdb3_local, call_time, args=None):
    raise ValueError("broken")
`,
  'broken.js': `
export function processWrites(api, [{ rows }]) {
  api.warn('got', rows.length);
  throw new RangeError('broken');
}
export const processScheduledCall = async () => { throw new RangeError('broken'); };
`,
  'mended.py': 'def process_writes(a, batches, args=None):\n    a.info("mended", [row["v"] for row in batches[0]["rows"]])\n',
  'mended.js': 'export const processWrites = (api, [{ rows }]) => api.info("mended", `[${rows.map(({ v }) => v.toFixed(1))}]`);\n',
  'meets.py': `
import os, time
def meet(args, me):
    open(os.path.join(args["dir"], me), "w").close()
    while len(os.listdir(args["dir"])) < 3:
        time.sleep(0.005)

def process_writes(influxdb3_local, table_batches, args=None):
    meet(args, str(table_batches[0]["rows"][0]["time"]))
    influxdb3_local.info("met")

def process_scheduled_call(influxdb3_local, call_time, args=None):
    meet(args, str(time.monotonic_ns()))
    influxdb3_local.info("met")
`,
  'meets.js': `
import { readdirSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
async function meet(api, { dir }, me) {
  writeFileSync(dir + '/' + me, '');
  while (readdirSync(dir).length < 3) await delay(5);
  api.info('met');
}
export const processWrites = (api, [{ rows }], args) => meet(api, args, rows[0].time);
export const processScheduledCall = (api, time, args) => meet(api, args, time.getTime());
`,
  'waits.py': `
import os, time
def wait(influxdb3_local, args):
    influxdb3_local.info("begins")
    while os.path.exists(args["while"]):
        time.sleep(0.005)
    time.sleep(0.005)
    influxdb3_local.info("ends")

def process_writes(influxdb3_local, table_batches, args=None):
    rows = table_batches[0]["rows"]
    influxdb3_local.write_sync(LineBuilder("kept").int64_field("rows", len(rows)), False)
    wait(influxdb3_local, args)
    for row in rows:
        influxdb3_local.info("row", row["w"], row["n"])
    influxdb3_local.write(LineBuilder("late").int64_field("rows", len(rows)))

def process_scheduled_call(influxdb3_local, call_time, args=None):
    wait(influxdb3_local, args)
`,
  'waits.js': `
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
async function wait(api, args) {
  api.info('begins');
  while (existsSync(args.while)) await delay(5);
  await delay(5);
  api.info('ends');
}
export async function processWrites(api, [{ rows }], args) {
  await api.writeSync(new LineBuilder('kept').intField('rows', rows.length));
  await wait(api, args);
  for (const { w, n } of rows) api.info('row', w, n);
  api.write(new LineBuilder('late').intField('rows', rows.length));
}
export const processScheduledCall = (api, time, args) => wait(api, args);
`,
  'hangs.py': `
import os
def process_request(influxdb3_local, q, h, b, args=None):
    influxdb3_local.info("pid", os.getpid())
    while True:
        pass
`,
  'hangs.js': 'export function processRequest(api) { api.info("pid", 0); for (;;); }\n',
};

const LANGUAGES = [
  { name: 'python', ending: 'py', broken: 'ValueError: broken' },
  { name: 'javascript', ending: 'js', broken: 'RangeError: broken' },
] as const;

describe('calls of plugins of both languages', () => {
  let plugins: PluginServer;
  const ends: (() => Promise<void>)[] = [];
  /** Of plugins that never end, whose triggers are disabled at once: their time is over when the other tests are done. */
  const hanging: { readonly answer: Promise<[number, string]>; readonly pid: number }[] = [];
  before(async () => {
    plugins = await PluginServer.start({ after: (end) => ends.unshift(end) }, FILES, { env: { TZ: 'UTC' } });
    await plugins.server.writeOk('hang', 'begin v=1');
    for (const { ending, name } of LANGUAGES) {
      await plugins.created({ db: 'hang', name, plugin: `hangs.${ending}`, spec: `request:${name}` });
      const answer = fetch(`${plugins.server.url}/api/v3/engine/${name}`).then(
        async (response): Promise<[number, string]> => [response.status, await response.text()],
      );
      const row = await until(async () => (await plugins.logs('hang', name)).find((text) => text.startsWith('INFO pid')));
      assert.deepEqual(await plugins.setEnabled(false, name, 'hang'), { status: 200, text: '' });
      hanging.push({ answer, pid: Number(row.split(' ')[2]) });
    }
  });
  after(async () => {
    for (const end of ends) await end();
  });

  const gate = async (name: string): Promise<{ readonly path: string; readonly open: () => Promise<void> }> => {
    await plugins.write(`../gates/${name}`, '');
    const path = join(plugins.dataDir, 'gates', name);
    return { path, open: () => rm(path) };
  };
  const withoutSpans = (rows: readonly string[]): string[] => rows.map((row) => row.replace(/(finished execution in ).*/, '$1…'));

  for (const { name, ending, broken } of LANGUAGES) {
    test(`${name}: each failure on writes has one row of the log, each on a schedule two`, async () => {
      const db = `log_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      await plugins.created({ db, name: 'wal', plugin: `broken.${ending}`, spec: 'table:cpu' });
      await plugins.created({ db, name: 'good', plugin: `mended.${ending}`, spec: 'table:cpu' });
      const failure = ['INFO starting execution of wal plugin.', 'WARN got 1', `ERROR error executing wal plugin: ${broken}`];
      for (const n of [1, 2, 3]) {
        await plugins.server.writeOk(db, `cpu v=${n}`);
        await until(async () => (await plugins.logs(db, 'wal')).length === n * failure.length);
        await until(async () => (await plugins.logs(db, 'good')).length === n * 3);
      }
      assert.deepEqual(await plugins.logs(db, 'wal'), [...failure, ...failure, ...failure]);
      const well = [1, 2, 3].flatMap((n) => [
        'INFO starting execution of wal plugin.',
        `INFO mended [${n}.0]`,
        'INFO finished execution in …',
      ]);
      assert.deepEqual(withoutSpans(await plugins.logs(db, 'good')), well);
      for (const runAsync of [false, true]) {
        const trigger = runAsync ? 'beside' : 'after';
        await plugins.created({ db, name: trigger, plugin: `broken.${ending}`, spec: 'cron:* * * * * *', runAsync });
        const rows = await until(async () => {
          const logged = await plugins.logs(db, trigger);
          return logged.length >= 3 ? logged.slice(0, 3) : undefined;
        });
        assert.match(rows[0] ?? '', /^INFO starting execution with scheduled time \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/);
        const way = runAsync ? 'async scheduled' : 'scheduled';
        assert.deepEqual(rows.slice(1), [
          `ERROR error executing schedule plugin: ${broken}`,
          `ERROR error running ${way} plugin: ${broken}`,
        ]);
        assert.equal((await plugins.setEnabled(false, trigger, db)).status, 200);
      }
    });

    test(`${name}: a trigger that retries can be disabled meanwhile, forgets its rows then, and goes on with later ones`, async () => {
      const db = `retry_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      await plugins.write(`retry.${ending}`, FILES[`broken.${ending}`]);
      await plugins.created({ db, plugin: `retry.${ending}`, spec: 'table:cpu', errorBehavior: 'retry' });
      await plugins.server.writeOk(db, 'cpu v=1');
      await plugins.logged(`WARN retrying trigger t after error (attempt 2): ${broken}`, db);
      const errors = (await plugins.logs(db)).filter((row) => row.startsWith('ERROR'));
      assert.deepEqual(errors, [], 'a call that is tried again has not failed yet');
      assert.equal((await plugins.setEnabled(false, 't', db)).status, 200);
      await plugins.server.writeOk(db, 'cpu v=2');
      await plugins.write(`retry.${ending}`, FILES[`mended.${ending}`]);
      assert.equal((await plugins.setEnabled(true, 't', db)).status, 200);
      await plugins.server.writeOk(db, 'cpu v=3');
      await plugins.logged('INFO mended [3.0]', db);
      const mended = (await plugins.logs(db)).filter((row) => row.startsWith('INFO mended'));
      assert.deepEqual(mended, ['INFO mended [3.0]']);
    });

    test(`${name}: a trigger that is to be disabled by a failure is disabled in the catalog, and can be enabled`, async () => {
      const db = `disable_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      await plugins.write(`off.${ending}`, FILES[`broken.${ending}`]);
      await plugins.created({ db, plugin: `off.${ending}`, spec: 'table:cpu', errorBehavior: 'disable' });
      await plugins.server.writeOk(db, 'cpu v=1');
      await plugins.rowsOf(db, 'SELECT 1 FROM system.processing_engine_triggers WHERE disabled');
      assert.deepEqual(await plugins.logs(db), [
        'INFO starting execution of wal plugin.',
        'WARN got 1',
        `ERROR error executing wal plugin: ${broken}`,
      ]);
      await plugins.server.writeOk(db, 'cpu v=2');
      await plugins.write(`off.${ending}`, FILES[`mended.${ending}`]);
      assert.equal((await plugins.setEnabled(true, 't', db)).status, 200);
      await plugins.server.writeOk(db, 'cpu v=3');
      await plugins.logged('INFO mended [3.0]', db);
    });

    test(`${name}: calls on writes and on a schedule overlap when they may`, async () => {
      const db = `meet_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      for (const spec of ['table:cpu', 'every:50ms']) {
        const dir = join(plugins.dataDir, db, spec.slice(0, 5));
        await mkdir(dir, { recursive: true });
        await plugins.created({ db, name: spec, plugin: `meets.${ending}`, spec, runAsync: true, args: { dir } });
        // The next call begins while the ones before have not ended, else it would wait for ever.
        if (spec === 'table:cpu') {
          for (const n of [1, 2, 3]) {
            await plugins.server.writeOk(db, `cpu v=1 ${n}`);
            await until(async () => (await readdir(dir)).length === n);
          }
        }
        await until(async () => (await plugins.logs(db, spec)).filter((row) => row === 'INFO met').length >= 3);
        assert.equal((await plugins.setEnabled(false, spec, db)).status, 200);
      }
    });

    test(`${name}: a slow plugin holds no write up, gets all rows in their order afterwards, and its calls never overlap`, async () => {
      const db = `slow_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      const { open, path } = await gate(db);
      await plugins.created({ db, plugin: `waits.${ending}`, spec: 'table:cpu', args: { while: path } });
      const writer = async (w: number): Promise<void> => {
        for (let n = 0; n < 40; n++) await plugins.server.writeOk(db, `cpu w=${w}i,n=${n}i ${1000 + w * 100 + n}`);
      };
      await Promise.all([0, 1, 2].map(writer)); // far more than sixty writes, and the first call has not ended
      assert.deepEqual(
        (await plugins.logs(db)).filter((row) => row === 'INFO ends'),
        [],
      );
      await open();
      await plugins.rowsOf(db, "SELECT 1 FROM system.processing_engine_logs WHERE log_text LIKE 'row %'", 120);
      const rows = (await plugins.logs(db)).map((row) => row.replace('INFO ', ''));
      for (const w of [0, 1, 2]) {
        const numbers = rows.filter((row) => row.startsWith(`row ${w} `)).map((row) => Number(row.split(' ')[2]));
        assert.deepEqual(
          numbers,
          Array.from({ length: 40 }, (_, n) => n),
        );
      }
      const turns = rows.filter((row) => row === 'begins' || row === 'ends');
      assert.ok(turns.length >= 4, `${turns.length / 2} calls`);
      assert.deepEqual(
        turns,
        turns.map((_, at) => (at % 2 === 0 ? 'begins' : 'ends')),
      );
    });

    test(`${name}: a schedule makes up for the times that a slow call passed, at multiples of its period, one after the other`, async () => {
      const db = `every_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      for (const period of ['0s', '0ms', '999us', '1ns']) {
        const { status, text } = await plugins.create({ db, plugin: `waits.${ending}`, spec: `every:${period}` });
        assert.deepEqual([status, text], [400, `failed to parse trigger from every:${period}: couldn't parse to duration`]);
      }
      const { open, path } = await gate(db);
      await plugins.created({ db, plugin: `waits.${ending}`, spec: 'every:250ms', args: { while: path } });
      await plugins.logged('INFO begins', db);
      const begun = Date.now();
      await until(() => Date.now() > begun + 1000);
      await open();
      await plugins.rowsOf(db, "SELECT 1 FROM system.processing_engine_logs WHERE log_text = 'ends'", 4);
      assert.equal((await plugins.setEnabled(false, 't', db)).status, 200);
      const rows = await plugins.logs(db);
      const times = rows.flatMap((row) => {
        const text = /scheduled time (.*) UTC$/.exec(row)?.[1];
        return text === undefined ? [] : [Date.parse(`${text.replace(' ', 'T')}Z`)];
      });
      assert.ok(times.length >= 4);
      for (const [at, time] of times.entries()) assert.equal(time, (times[0] ?? 0) + at * 250);
      assert.equal((times[0] ?? 0) % 250, 0);
      const turns = rows.filter((row) => row === 'INFO begins' || row === 'INFO ends');
      assert.deepEqual(
        turns,
        turns.map((_, at) => (at % 2 === 0 ? 'INFO begins' : 'INFO ends')),
      );
    });

    test(`${name}: a database that is deleted in the middle of a call does not come back by it, and has its triggers disabled when it is undeleted`, async () => {
      const db = `gone_${ending}`;
      await plugins.server.writeOk(db, 'begin v=1');
      const { open, path } = await gate(db);
      await plugins.created({ db, name: 'writes', plugin: `waits.${ending}`, spec: 'table:cpu', args: { while: path } });
      await plugins.created({ db, name: 'every', plugin: `waits.${ending}`, spec: 'every:1h', args: { while: path } });
      await plugins.server.writeOk(db, 'cpu w=1i,n=1i');
      await plugins.rowsOf(db, 'SELECT rows FROM kept');
      const deleted = await plugins.request('DELETE', `/api/v3/configure/database?db=${db}`);
      assert.equal(deleted.status, 200, deleted.text);
      await open();
      const problem = `ERROR error running wal plugin: error writing back lines to ${db}: Cannot write: database not found`;
      await plugins.logged(problem, '_internal');
      const databases = async (): Promise<string[]> => {
        const text = await (await fetch(`${plugins.server.url}/api/v3/configure/database?format=csv&show_deleted=true`)).text();
        return text.split('\n').filter((line) => line.startsWith(db));
      };
      const [only, ...others] = await databases();
      assert.deepEqual(others, []);
      assert.notEqual(only?.split(',')[0], db);
      const undeleted = await plugins.request('POST', '/api/v3/configure/database/undelete', { db: only?.split(',')[0], new_name: db });
      assert.equal(undeleted.status, 200, undeleted.text);
      const states = await plugins.server.rows(db, 'SELECT trigger_name, disabled FROM system.processing_engine_triggers ORDER BY 1');
      assert.deepEqual(states, [
        { trigger_name: 'every', disabled: true },
        { trigger_name: 'writes', disabled: true },
      ]);
      await plugins.server.writeOk(db, 'cpu w=1i,n=2i');
      assert.equal((await plugins.setEnabled(true, 'writes', db)).status, 200);
      await plugins.server.writeOk(db, 'cpu w=1i,n=3i');
      await plugins.logged('INFO row 1 3', db);
      assert.ok(!(await plugins.logs(db)).includes('INFO row 1 2'), 'not what was written while it was disabled');
      assert.deepEqual(await plugins.rowsOf(db, 'SELECT rows FROM late'), [{ rows: 1 }]);
    });
  }

  test('a call that never ends is ended some time after its trigger was disabled, and nothing of it is left', async () => {
    for (const { answer, pid } of hanging) {
      assert.deepEqual(await answer, [503, '{"error":"the processing engine is stopping"}']);
      if (pid !== 0) await processEnd(pid);
    }
    for (const { name } of LANGUAGES) assert.equal((await plugins.delete(name, false, 'hang')).status, 200);
  });
});
