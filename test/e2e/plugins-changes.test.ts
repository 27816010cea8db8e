import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { type Answer, PluginServer, type TestTrigger } from '../support/plugins.ts';
import { until } from '../support/until.ts';

const FILES = {
  'record.js': `
import { appendFileSync, readFileSync } from 'node:fs';
export function processWrites(api, batches, { file, life }) {
  const now = readFileSync(life, 'utf8');
  for (const { rows } of batches) appendFileSync(file, rows.map(({ w, l, n }) => [now, w, l, n, '\\n'].join(' ')).join(''));
}
`,
  'record.py': `
import os
def process_writes(influxdb3_local, batches, args=None):
    with open(args["life"]) as file:
        now = file.read()
    with open(args["file"] + ".pid", "w") as file:
        file.write(str(os.getpid()))
    for batch in batches:
        with open(args["file"], "a") as file:
            file.write("".join("%s %s %d %d \\n" % (now, row["w"], row["l"], row["n"]) for row in batch["rows"]))
`,
};

const WRITERS = 3;
/** Of the server, more by hand. */
const LIVES = Number(process.env['PLUGIN_LIVES'] ?? 3);
/** Each client that changes triggers does it so often, or until the server is killed. */
const ROUNDS = 3;
/** A call that was killed loses its rows; another marker is written then. */
const MARKER_LOOKS = 50;
const MARKERS_MAX = 100;

/** When something happened, in the order in which this process saw it. */
interface Span {
  readonly begun: number;
  readonly ended: number;
}

interface WrittenRow extends Span {
  readonly db: string;
  readonly writer: string;
  readonly life: number;
  readonly n: number;
}

/** A trigger from one creation to its end. */
interface Instance {
  readonly db: string;
  readonly file: string;
  /** Its calls follow each other, and none of them is killed. */
  readonly isWhole: boolean;
  readonly isOrdered: boolean;
  /** While it was certainly disabled. */
  readonly off: Span[];
  /** From when on it was certainly enabled, to the moment before a row that it got was written. */
  readonly on: Span[];
}

interface Delivered {
  readonly life: number;
  readonly writer: string;
  readonly rowLife: number;
  readonly n: number;
}

/** Clients of one server, and what they know for certain. */
class Clients {
  readonly rows: WrittenRow[] = [];
  readonly instances: Instance[] = [];
  life = 0;
  /** Changes that were answered in this life. */
  changes = 0;
  #plugins: PluginServer | undefined;
  #moment = 0;
  readonly #numbers = new Map<string, number>();

  /** Another life of the server begins. */
  async start(plugins: PluginServer): Promise<void> {
    this.#plugins = plugins;
    this.life++;
    this.changes = 0;
    await mkdir(join(plugins.dataDir, 'records'), { recursive: true });
    await writeFile(join(plugins.dataDir, 'life'), `${this.life}`);
  }

  get server(): PluginServer {
    if (this.#plugins === undefined) throw new Error('no server runs');
    return this.#plugins;
  }

  moment(): number {
    return ++this.#moment;
  }

  /** Rejects when the server is gone; the row may be stored then. */
  async write(writer: string, db = 'db'): Promise<WrittenRow> {
    const n = (this.#numbers.get(writer) ?? 0) + 1;
    this.#numbers.set(writer, n);
    const begun = this.moment();
    await this.server.server.writeOk(db, `s,w=${writer} n=${n}i,l=${this.life}i ${n}`);
    const row = { db, writer, life: this.life, n, begun, ended: this.moment() };
    this.rows.push(row);
    return row;
  }

  /** Undefined = somebody else has made it. */
  async create({ db = 'db', name, plugin, runAsync = false }: Omit<TestTrigger, 'spec'>): Promise<Instance | undefined> {
    const file = join(this.server.dataDir, 'records', `${this.instances.length}`);
    const instance = { db, file, isOrdered: !runAsync, isWhole: !runAsync && plugin.endsWith('.js'), off: [], on: [] };
    this.instances.push(instance); // a server that is killed may have made it without an answer
    await writeFile(file, '');
    const args = { file, life: join(this.server.dataDir, 'life') };
    const { status, text } = await this.server.create({ db, name, plugin, runAsync, spec: 'table:s', args } as TestTrigger);
    assert.ok(status === 200 || status === 409, text);
    return status === 200 ? instance : undefined;
  }

  /** Writes until a row is seen by the trigger, which has been enabled since a moment. */
  async seen(instance: Instance, enabled: number, writer: string): Promise<void> {
    for (let marker = 0; marker < MARKERS_MAX; marker++) {
      const { begun, n } = await this.write(writer, instance.db);
      for (let look = 0; look < MARKER_LOOKS; look++) {
        if ((await deliveredTo(instance)).some((row) => row.writer === writer && row.n === n)) {
          instance.on.push({ begun: enabled, ended: begun });
          return;
        }
        await delay(10);
      }
    }
    const log = (await this.server.logs(instance.db, writer)).slice(-20).join('\n');
    throw new Error(`trigger ${writer} gets nothing into ${instance.file}:\n${log}\n${this.server.server.output.slice(-3000)}`);
  }
}

async function deliveredTo({ file }: Instance): Promise<Delivered[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1); // the last one may be torn
  return lines.map((line) => {
    const [life, writer = '', rowLife, n] = line.split(' ');
    return { life: Number(life), writer, rowLife: Number(rowLife), n: Number(n) };
  });
}

/** Disables, enables, deletes, makes again and changes one trigger, and knows what it must get and must not. */
async function change(clients: Clients, name: string, plugin: keyof typeof FILES, db = 'db'): Promise<void> {
  const { server } = clients;
  const done = async (answer: Promise<Answer>): Promise<number> => {
    const { status, text } = await answer;
    assert.equal(status, 200, text);
    clients.changes++;
    return clients.moment();
  };
  const create = async (): Promise<Instance> => {
    const instance = await clients.create({ db, name, plugin });
    assert.ok(instance !== undefined, `${name} is there although it was deleted`);
    return instance;
  };
  await server.delete(name, true, db);
  let instance = await create();
  let enabled = clients.moment();
  for (let round = 0; round < ROUNDS; round++) {
    await clients.seen(instance, enabled, name);
    if (round % 2 === 1) {
      await appendFile(join(server.pluginDir, plugin), plugin.endsWith('.py') ? '# changed\n' : '// changed\n');
      await clients.seen(instance, enabled, name);
    }
    const begun = db === 'db' ? await done(server.setEnabled(false, name)) : await done(server.request('DELETE', `${DATABASE}?db=${db}`));
    if (db !== 'db') await done(server.request('POST', `${DATABASE}/undelete`, { db: await renamed(server, db), new_name: db }));
    await clients.write(name, db);
    instance.off.push({ begun, ended: clients.moment() });
    if (round % 3 === 2) {
      await done(server.delete(name, false, db));
      instance = await create();
    } else {
      await done(server.setEnabled(true, name, db));
    }
    enabled = clients.moment();
  }
}

const DATABASE = '/api/v3/configure/database';

/** What the database that was deleted last is called. */
async function renamed(server: PluginServer, db: string): Promise<string | undefined> {
  const { text } = await server.request('GET', `${DATABASE}?format=csv&show_deleted=true`);
  const lines = text.split('\n').filter((known) => known.startsWith(db) && known.endsWith(',true'));
  return lines.sort().at(-1)?.split(',')[0];
}

/** Does to one trigger what others do at the same time. */
async function disturb(clients: Clients, client: number): Promise<void> {
  const { server } = clients;
  const allowed = ({ status, text }: Answer): void => assert.ok(status === 200 || status === 404, text);
  for (let round = 0; round < ROUNDS * 3; round++) {
    const step = (round + client) % 4;
    if (step === 0) await clients.create({ name: 'noise', plugin: 'record.js', runAsync: client === 1 });
    else if (step === 3) allowed(await server.delete('noise', true));
    else allowed(await server.setEnabled(step === 2, 'noise'));
    await clients.write(`noise${client}`);
  }
}

/** Kills processes of Python triggers while they run; each twice at most, for one that dies at once again and again is left alone for a while. */
async function killHosts(clients: Clients, isOver: () => boolean): Promise<void> {
  const killed = new Map<string, number>();
  while (!isOver()) {
    await delay(100);
    for (const { file } of clients.instances) {
      const pid = await readFile(`${file}.pid`, 'utf8').catch(() => '');
      const command = pid === '' ? '' : await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const times = killed.get(file) ?? 0;
      if (!command.includes('plugin_host.py') || times === 2) continue;
      killed.set(file, times + 1);
      process.kill(Number(pid), 'SIGKILL');
      await writeFile(`${file}.pid`, '');
    }
  }
}

/** Returns how many rows were delivered. */
async function check({ instances, rows }: Clients): Promise<number> {
  let count = 0;
  for (const instance of instances) {
    const delivered = await deliveredTo(instance);
    count += delivered.length;
    const last = new Map<string, number>();
    const all = new Set<string>();
    for (const { life, n, rowLife, writer } of delivered) {
      const name = `row ${n} of ${writer}, trigger ${instance.file}`;
      assert.equal(life, rowLife, `${name} was delivered in another life of the server than it was written in`);
      assert.ok(!all.has(`${writer} ${n}`), `${name} was delivered twice`);
      all.add(`${writer} ${n}`);
      if (instance.isOrdered) assert.ok(n > (last.get(writer) ?? 0), `${name} came after row ${last.get(writer)}`);
      last.set(writer, n);
    }
    for (const { begun, db, ended, n, writer } of rows) {
      const within = (span: Span): boolean => db === instance.db && begun > span.begun && ended < span.ended;
      const name = `row ${n} of ${writer}, trigger ${instance.file}`;
      const isThere = all.has(`${writer} ${n}`);
      assert.ok(!(isThere && instance.off.some(within)), `${name} was delivered although the trigger was disabled`);
      assert.ok(isThere || !instance.isWhole || !instance.on.some(within), `${name} was not delivered, but later ones were`);
    }
  }
  return count;
}

test('a trigger gets each row at most once, in order, and none from while it was disabled, however it is changed and killed meanwhile', async (t) => {
  const clients = new Clients();
  let dataDir: string | undefined;
  for (let life = 1; life <= LIVES; life++) {
    const plugins = await PluginServer.start(t, life === 1 ? FILES : {}, dataDir === undefined ? {} : { dataDir });
    dataDir = plugins.dataDir;
    const started = clients.moment();
    await clients.start(plugins);
    for (const db of ['db', 'dropped']) await plugins.server.writeOk(db, 'begin v=1');
    if (life === 1)
      for (const name of ['steady', 'beside']) await clients.create({ name, plugin: 'record.js', runAsync: name === 'beside' });
    const enabled = life === 1 ? clients.moment() : started;
    const [steady, beside] = clients.instances;
    assert.ok(steady !== undefined && beside !== undefined);
    let isOver = false;
    const writers = Array.from({ length: WRITERS }, async (_, at) => {
      while (!isOver) await clients.write(`w${at}`);
    });
    const others = Promise.allSettled([...writers, killHosts(clients, () => isOver)]);
    const changes = Promise.all([
      change(clients, 'js', 'record.js'),
      change(clients, 'py', 'record.py'),
      change(clients, 'dropped', 'record.js', 'dropped'),
      disturb(clients, 0),
      disturb(clients, 1),
    ]);
    changes.catch(() => undefined); // looked at below
    try {
      if (life === LIVES) await changes;
      else await Promise.race([changes, until(() => clients.changes >= 6 + 4 * life)]);
      for (const instance of [steady, beside]) await clients.seen(instance, enabled, 'last');
    } finally {
      isOver = true;
    }
    await plugins.server.kill('SIGKILL');
    const failure = await changes.then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(!(failure instanceof assert.AssertionError), failure as Error); // others are requests that the kill cut off
    await others;
  }
  const count = await check(clients);
  assert.ok(count > 200, `${count} rows`);
});
