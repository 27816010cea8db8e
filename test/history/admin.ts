import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import { Fault } from './check.ts';
import { answered } from './patience.ts';
import { type LifePlan, randomFor } from './plan.ts';
import { Database, Table } from './tables.ts';
import type { World } from './world.ts';

const OPEN_TABLES_MAX = 6;
/** Writes that a new table gets before the next one comes. */
const WRITES_PER_TABLE = 8;
const DAYS_AGO = 30;
/** Rows that may be there at once: each life compares them all. */
const TABLES_MAX = 40;

/** No client writes to it, and all of it is known. */
function isIdle(table: Table): boolean {
  return !table.open && table.exists && table.isSettled;
}

interface Replied {
  readonly status: number;
  readonly text: string;
}

/** Makes databases, tables and caches, deletes them and brings them back, while the clients go on. */
export class Admin {
  readonly #world: World;
  readonly #random: Random;
  readonly #life: number;
  readonly #url: string;
  #made = 0;
  /** Acknowledged writes when the last table was opened. */
  #openedAt = Number.NEGATIVE_INFINITY;

  constructor(world: World, plan: LifePlan, url: string) {
    this.#world = world;
    this.#random = randomFor(world.options.seed, `admin ${plan.number}`);
    this.#life = plan.number;
    this.#url = url;
  }

  async run(stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.#step();
      } catch (error) {
        if (error instanceof Fault || !stop.aborted) throw error;
      }
      await delay(100 + this.#random.below(900), undefined, { signal: stop }).catch(() => undefined);
    }
  }

  /** Finds out what became of changes that a kill interrupted. Call before anything is read. */
  async settle(): Promise<void> {
    for (const database of this.#world.model.databases) {
      if (database.standing === 'changing') await this.#settleDatabase(database);
    }
    for (const table of this.#world.model.tables) {
      if (table.standing === 'changing' && table.database.standing === 'live') await this.#settleTable(table);
    }
  }

  async #step(): Promise<void> {
    const random = this.#random;
    const open = this.#world.openTables();
    const { acknowledged } = this.#world.counts;
    if (open.length === 0 || (acknowledged >= this.#openedAt + WRITES_PER_TABLE && random.chance(0.6))) {
      this.#openedAt = acknowledged;
      return this.#openTable();
    }
    const retired = this.#world.model.tables.filter((table) => isIdle(table) && table.isReadable);
    const deleted = this.#world.model.tables.filter((table) => table.standing === 'deleted' && table.database.standing === 'live');
    if (random.chance(0.35)) return this.#makeCache(random.pick(open));
    if (retired.length > 0 && random.chance(0.5)) return this.#deleteTable(random.pick(retired));
    if (deleted.length > 0 && random.chance(0.6)) return this.#undeleteTable(random.pick(deleted));
    const databases = this.#world.model.databases;
    const idle = databases.filter((one) => one.standing === 'live' && one.tables.length > 0 && one.tables.every(isIdle));
    if (idle.length > 0 && random.chance(0.5)) return this.#deleteDatabase(random.pick(idle));
    const gone = databases.filter((one) => one.standing === 'deleted');
    if (gone.length > 0) return this.#undeleteDatabase(random.pick(gone));
  }

  async #openTable(): Promise<void> {
    const random = this.#random;
    const { model } = this.#world;
    const live = model.databases.filter((one) => one.standing === 'live');
    let database = random.chance(0.7) ? live.at(-1) : random.chance(0.5) && live.length > 0 ? random.pick(live) : undefined;
    database ??= await this.#openDatabase();
    if (database === undefined) return;
    // A name that was deleted is taken again: its rows must not come back with it.
    const names = database.tables.filter(({ standing }) => standing === 'deleted').map(({ name }) => name);
    const free = names.filter((name) => !database.tables.some((table) => table.name === name && table.standing !== 'deleted'));
    const name = free.length > 0 && random.chance(0.4) ? random.pick(free) : `t${this.#life}_${this.#made++}`;
    const minutesAgo = database.retentionMs === undefined ? DAYS_AGO * 1440 : database.retentionMs / 60_000 + 8;
    const table = new Table(database, name, Math.floor(Date.now() / 60_000) - minutesAgo, random.chance(0.2));
    model.tables.push(table);
    const open = this.#world.openTables();
    if (open.length > OPEN_TABLES_MAX) random.pick(open.slice(0, 4)).open = false;
    if (model.tables.length > TABLES_MAX) await this.#removeOldest();
  }

  async #openDatabase(): Promise<Database | undefined> {
    const { model } = this.#world;
    const taken = new Set(model.databases.filter(({ standing }) => standing !== 'deleted').map(({ name }) => name));
    const free = model.databases.filter(({ standing, name }) => standing === 'deleted' && !taken.has(name));
    const hours = this.#random.chance(0.25) ? 6 : undefined;
    const reused = hours === undefined && free.length > 0 && this.#random.chance(0.5);
    const name = reused ? this.#random.pick(free).name : `h${this.#life}_${this.#made++}`;
    const database = new Database(name, hours === undefined ? undefined : hours * 3_600_000);
    if (hours !== undefined) {
      const replied = await this.#call('POST', 'database', { db: name, retention_period: `${hours}h` });
      if (replied.status !== 200) throw new Fault('unexpected', `making database ${name}: ${replied.status} ${replied.text}`);
    }
    model.databases.push(database);
    return database;
  }

  async #makeCache(table: Table): Promise<void> {
    const kind = this.#random.pick<'last_cache' | 'distinct_cache'>(['last_cache', 'distinct_cache']);
    if (table.caches.has(kind)) return;
    const what = kind === 'last_cache' ? { key_columns: ['w'], value_columns: ['i0'], ttl: 4e9 } : { columns: ['w', 's'], max_age: 4e9 };
    const replied = await this.#call('POST', kind, { db: table.database.name, table: table.name, name: kind, ...what });
    if (replied.status === 201 || replied.status === 409) table.caches.add(kind);
    else if (replied.status !== 404 && replied.status !== 400 && replied.status !== 422)
      throw new Fault('unexpected', `making a ${kind}: ${replied.status} ${replied.text}`);
  }

  async #deleteTable(table: Table, forGood = false): Promise<void> {
    this.#world.note(`deletes table ${table.database.name}.${table.name}${forGood ? ' for good' : ''}`);
    table.change(forGood ? 'gone' : 'changing');
    const more = forGood ? '&hard_delete_at=now' : '';
    const replied = await this.#call('DELETE', `table?db=${table.database.name}&table=${table.name}${more}`);
    if (replied.status !== 200) throw new Fault('unexpected', `deleting table ${table.name}: ${replied.status} ${replied.text}`);
    this.#world.counts.drops++;
    table.caches.clear();
    if (forGood) this.#forget(table);
    else await this.#settleTable(table);
    await this.#mustBeUnknown(table);
  }

  /** A question for a deleted table must not be answered with its rows. */
  async #mustBeUnknown(table: Table): Promise<void> {
    if (table.database.tables.some((other) => other !== table && other.name === table.name && other.standing === 'live')) return;
    const body = JSON.stringify({ db: table.database.name, q: `SELECT count(*) AS n FROM "${table.name}"`, format: 'csv' });
    const response = await answered('query', fetch(`${this.#url}/api/v3/query_sql`, { method: 'POST', body }));
    const text = await response.text();
    if (response.status === 200) throw new Fault('invented', `table ${table.name} answers after its delete: ${text}`);
  }

  /** A table that is deleted already, or that a killed server may or may not have deleted or brought back. */
  async #settleTable(table: Table): Promise<void> {
    const { database } = table;
    const rows = await this.#tableNames(database.name);
    const known = table.deletedName;
    const isKnown = (name: string): boolean => database.tables.some((other) => other !== table && other.deletedName === name);
    const deleted = rows.filter(
      (row) => row.deleted && (row.name === known || row.name.startsWith(`${table.name}-`)) && !isKnown(row.name),
    );
    const taken = database.tables.some((other) => other !== table && other.name === table.name && other.standing !== 'deleted');
    const live = !taken && rows.some((row) => !row.deleted && row.name === table.name);
    if (deleted.length > 1 || (deleted.length === 1 && live))
      throw new Fault('unexpected', `which is table ${table.name}? ${JSON.stringify(rows)}`);
    if (deleted.length === 0 && !live)
      throw new Fault('lost', `table ${database.name}.${table.name} is in no list: ${JSON.stringify(rows)}`);
    table.deletedName = deleted[0]?.name;
    table.change(live ? 'live' : 'deleted');
    if (live) table.caches.clear();
  }

  async #undeleteTable(table: Table): Promise<void> {
    const { database } = table;
    const taken = database.tables.some((other) => other !== table && other.name === table.name && other.standing !== 'deleted');
    const name = taken ? `${table.name}_back${this.#life}_${this.#made++}` : table.name;
    this.#world.note(`brings table ${database.name}.${table.deletedName} back as ${name}`);
    const body = { db: database.name, table: table.deletedName, new_name: name };
    const undo = table.name;
    table.name = name;
    table.change('changing');
    const replied = await this.#call('POST', 'table/undelete', body);
    if (replied.status !== 200) {
      table.name = undo;
      throw new Fault('unexpected', `bringing table ${table.deletedName} back: ${replied.status} ${replied.text}`);
    }
    this.#world.counts.undeletes++;
    table.deletedName = undefined;
    table.open = this.#random.chance(0.5);
    table.change('live');
  }

  async #deleteDatabase(database: Database): Promise<void> {
    this.#world.note(`deletes database ${database.name}`);
    this.#changeDatabase(database, 'changing');
    const replied = await this.#call('DELETE', `database?db=${database.name}`);
    if (replied.status !== 200) throw new Fault('unexpected', `deleting database ${database.name}: ${replied.status} ${replied.text}`);
    this.#world.counts.drops++;
    for (const table of database.tables) table.caches.clear();
    await this.#settleDatabase(database);
  }

  async #settleDatabase(database: Database): Promise<void> {
    const { databases } = this.#world.model;
    const { text } = await this.#call('GET', 'database?format=json&show_deleted=true');
    const rows = JSON.parse(text) as { 'iox::database': string; deleted: boolean }[];
    const isKnown = (name: string): boolean => databases.some((other) => other !== database && other.deletedName === name);
    const names = rows.filter((row) => row.deleted).map((row) => row['iox::database']);
    const deleted = names.filter((name) => (name === database.deletedName || name.startsWith(`${database.name}-`)) && !isKnown(name));
    const live = rows.some((row) => !row.deleted && row['iox::database'] === database.name);
    if (deleted.length > 1) throw new Fault('unexpected', `which is database ${database.name}? ${text}`);
    if (deleted.length === 0 && !live) throw new Fault('lost', `database ${database.name} is in no list: ${text}`);
    database.deletedName = deleted[0];
    if (deleted.length === 0) for (const table of database.tables) table.caches.clear();
    this.#changeDatabase(database, deleted.length === 0 ? 'live' : 'deleted');
  }

  async #undeleteDatabase(database: Database): Promise<void> {
    const taken = this.#world.model.databases.some(
      (other) => other !== database && other.name === database.name && other.standing !== 'deleted',
    );
    const name = taken ? `${database.name}_back${this.#life}_${this.#made++}` : database.name;
    this.#world.note(`brings database ${database.deletedName} back as ${name}`);
    const body = { db: database.deletedName, new_name: name };
    database.name = name;
    this.#changeDatabase(database, 'changing');
    const replied = await this.#call('POST', 'database/undelete', body);
    if (replied.status !== 200) throw new Fault('unexpected', `bringing database ${name} back: ${replied.status} ${replied.text}`);
    this.#world.counts.undeletes++;
    database.deletedName = undefined;
    this.#changeDatabase(database, 'live');
  }

  /** Keeps the number of tables in bounds. */
  async #removeOldest(): Promise<void> {
    const table = this.#world.model.tables.find((one) => one.isReadable && isIdle(one));
    if (table !== undefined) await this.#deleteTable(table, true);
  }

  #forget(table: Table): void {
    const { tables } = this.#world.model;
    tables.splice(tables.indexOf(table), 1);
    table.database.tables.splice(table.database.tables.indexOf(table), 1);
  }

  #changeDatabase(database: Database, standing: Database['standing']): void {
    database.standing = standing;
    for (const table of database.tables) table.version++;
  }

  async #tableNames(database: string): Promise<{ name: string; deleted: boolean }[]> {
    const q = `SELECT table_name, deleted FROM system.tables WHERE database_name = '${database}'`;
    const body = JSON.stringify({ db: '_internal', q, format: 'json' });
    const response = await answered('query', fetch(`${this.#url}/api/v3/query_sql`, { method: 'POST', body }));
    const text = await response.text();
    if (response.status !== 200) throw new Error(`system.tables: ${response.status} ${text}`);
    return (JSON.parse(text) as { table_name: string; deleted: boolean }[]).map((row) => ({ name: row.table_name, deleted: row.deleted }));
  }

  async #call(method: string, path: string, body?: unknown): Promise<Replied> {
    const headers = { 'content-type': 'application/json' };
    const more = body === undefined ? {} : { body: JSON.stringify(body), headers };
    const response = await answered(`${method} ${path}`, fetch(`${this.#url}/api/v3/configure/${path}`, { method, ...more }));
    return { status: response.status, text: await response.text() };
  }
}
