import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { readCsv } from './answers.ts';
import { Fault } from './check.ts';
import { answered } from './patience.ts';
import type { Cell } from './values.ts';
import type { World } from './world.ts';

const DATABASE = 'copies';
const WRITERS = 3;
/** Rows of a body. */
const KEYS = 4;
/** The trigger is checked, not loaded. */
const PAUSE_MS = 50;

/**
 * Copies each row as it comes, with a number of its own as its time: what is delivered twice is there twice, and the order of the deliveries can be
 * read. A worker thread lives no longer than its server, so the moment of its start tells in which life a row was delivered.
 */
const PLUGIN = `
const life = String(Date.now());
let at = 0;
export function processWrites(api, batches) {
  for (const { rows } of batches) {
    for (const { w, k, n, v, s } of rows) {
      const line = new LineBuilder('copy').tag('life', life).tag('w', w).tag('k', k).intField('n', n).floatField('v', v);
      if (s !== undefined) line.stringField('s', s);
      api.write(line.intField('at', at).timeNs(at++));
    }
  }
}
`;

/** One body of one writer. */
interface Body {
  readonly number: number;
  acknowledged: boolean;
  /** Lost at a kill if it was not synced. */
  readonly noSync: boolean;
}

interface Life {
  readonly startedMs: number;
  /** Writes may be refused, those of the plugin too. */
  readonly isShortOfMemory: boolean;
  readonly bodies: readonly Body[][];
}

/**
 * A trigger in JavaScript that copies the rows of one table to another one, while the server lives, is stopped and killed. What it copied in a life
 * must be, for each writer, the first of the bodies that became durable in that life: whole, in their order, once. The last ones may
 * be missing, because a kill loses what was not delivered yet; rows that a start reads from the log are never delivered.
 */
export class Copies {
  readonly #world: World;
  #life: Life | undefined;
  #sent = 0;
  #isCreated = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** A life begins; options for its server. */
  async begin(directory: string): Promise<readonly string[]> {
    const pluginDir = join(directory, 'plugins');
    await mkdir(pluginDir, { recursive: true });
    await writeFile(join(pluginDir, 'copy.mjs'), PLUGIN);
    return ['--plugin-dir', pluginDir];
  }

  /** Compares the copies of the life that ended, and begins to note those of the new one. */
  async readAll(url: string): Promise<void> {
    const life = this.#life;
    this.#life = { startedMs: Date.now(), isShortOfMemory: this.#world.shortOfMemory, bodies: Array.from({ length: WRITERS }, () => []) };
    const first = life?.bodies.flatMap((bodies) => bodies.slice(0, 1)).sort((a, b) => a.number - b.number)[0];
    if (life === undefined || first === undefined) return;
    const durable = await this.#durable(url, life, first.number);
    const rows = await this.#ask(url, `SELECT w, k, n, v, s, life, at FROM copy WHERE life >= '${life.startedMs}'`);
    if (rows !== undefined && durable !== undefined) this.#compare(rows, life, durable);
  }

  /** Writes until it is told to stop; makes the trigger first. Rejects with a `Fault`. */
  async run(url: string, stop: AbortSignal): Promise<void> {
    // A server that is ending may break off; what became of the trigger is seen in the next life.
    if (!this.#isCreated) await this.#create(url).catch((error: unknown) => stop.aborted || Promise.reject(error));
    const write = async (writer: number): Promise<void> => {
      while (!stop.aborted) {
        await this.#write(url, writer).catch((error: unknown) => {
          if (!stop.aborted || (error instanceof Fault && error.kind !== 'unexpected')) throw error;
        });
        await delay(PAUSE_MS, undefined, { signal: stop }).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)));
  }

  async #create(url: string): Promise<void> {
    const post = async (path: string, body: object): Promise<void> => {
      const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      const response = await answered(path, fetch(`${url}/api/v3/configure/${path}`, init));
      const text = await response.text();
      if (response.status !== 200 && response.status !== 409)
        throw new Fault('unexpected', `${path} was answered ${response.status}: ${text}`);
    };
    await post('database', { db: DATABASE });
    const settings = { trigger_settings: { run_async: false, error_behavior: 'log' }, disabled: false };
    const trigger = { db: DATABASE, plugin_filename: 'copy.mjs', trigger_name: 'copy', trigger_specification: 'table:source' };
    await post('processing_engine_trigger', { ...trigger, ...settings });
    this.#isCreated = true;
  }

  async #write(url: string, writer: number): Promise<void> {
    const number = this.#sent++;
    const noSync = number % 5 === 0;
    const body: Body = { number, acknowledged: false, noSync };
    this.#life?.bodies[writer]?.push(body);
    const path = `/api/v3/write_lp?db=${DATABASE}&precision=nanosecond${noSync ? '&no_sync=true' : ''}`;
    const response = await answered('a write to be copied', fetch(`${url}${path}`, { method: 'POST', body: lines(writer, number) }));
    const text = await response.text();
    if (response.status === 204) body.acknowledged = true;
    else if (!this.#world.shortOfMemory || response.status !== 503)
      throw new Fault('unexpected', `a write to be copied was answered ${response.status}: ${text.slice(0, 300)}`);
  }

  /** Numbers of the bodies of a life that are stored, by writer. */
  async #durable(url: string, life: Life, first: number): Promise<number[][] | undefined> {
    const rows = await this.#ask(url, `SELECT w, n, count(*) AS rows FROM source WHERE n >= ${first} GROUP BY w, n`);
    if (rows === undefined) return undefined;
    const stored = new Set(rows.map(([w, n]) => `${w}/${n}`));
    const torn = rows.find(([, , count]) => Number(count) !== KEYS);
    if (torn !== undefined) throw new Fault('torn', `body ${torn[1]} of writer ${torn[0]} has ${torn[2]} rows instead of ${KEYS}`);
    return life.bodies.map((bodies, writer) => {
      const lost = bodies.find((body) => body.acknowledged && !body.noSync && !stored.has(`w${writer}/${body.number}`));
      if (lost !== undefined) throw new Fault('lost', `body ${lost.number} of writer ${writer}, which was to be copied`);
      return bodies.flatMap(({ number }) => (stored.has(`w${writer}/${number}`) ? [number] : []));
    });
  }

  /** @param rows writer, key, number of the body, value, text, moment of the worker's start, place in its deliveries */
  #compare(rows: readonly (readonly Cell[])[], life: Life, durable: readonly (readonly number[])[]): void {
    const delivered = rows.toSorted((a, b) => Number(a[5]) - Number(b[5]) || Number(a[6]) - Number(b[6]));
    const byWriter = durable.map((): number[] => []);
    for (const [w, k, n, v, s] of delivered) {
      const [writer, number] = [Number(String(w).slice(1)), Number(n)];
      const copied = byWriter[writer];
      const key = copied === undefined ? -1 : copied.length % KEYS;
      const name = `key ${k} of body ${n} of writer ${w}`;
      if (durable[writer]?.includes(number) !== true) throw new Fault('invented', `${name} was delivered, but not stored in this life`);
      if (Number(v) !== floatOf(number, Number(k)) || (s ?? '') !== textOf(writer, number, Number(k)))
        throw new Fault('changed', `${name} was delivered as ${v}, ${s}`);
      const last = copied?.at(-1) ?? -1;
      if (number < last || (number === last && key === 0))
        throw new Fault('doubled', `${name} was delivered again or too late, after body ${last}`);
      if (Number(k) !== key || (key > 0 && number !== last))
        throw new Fault('torn', `${name} was delivered in the place of key ${key} of body ${last}`);
      copied?.push(number);
    }
    for (const [writer, copied] of byWriter.entries()) {
      if (copied.length % KEYS !== 0) throw new Fault('torn', `a part of body ${copied.at(-1)} of writer ${writer} was delivered`);
      if (life.isShortOfMemory) continue;
      const bodies = copied.filter((_, i) => i % KEYS === 0);
      const missing = durable[writer]?.find((number, i) => i < bodies.length && bodies[i] !== number);
      if (missing !== undefined) throw new Fault('lost', `body ${missing} of writer ${writer} was left out, later ones were delivered`);
    }
    this.#world.counts.rowsVerified += rows.length;
    this.#world.counts.cellsVerified += rows.length * 5;
    this.#world.counts.copied += rows.length;
  }

  /** Undefined when the table is not there yet, or the server is short of memory. */
  async #ask(url: string, q: string): Promise<readonly (readonly Cell[])[] | undefined> {
    const body = JSON.stringify({ db: DATABASE, q, format: 'csv' });
    const response = await answered(q, fetch(`${url}/api/v3/query_sql`, { method: 'POST', body }));
    const text = await answered(q, response.text());
    this.#world.counts.questions++;
    if (response.status === 200) return readCsv(text).rows;
    if (/table '[^']*' not found/.test(text)) return undefined;
    if (this.#world.shortOfMemory && (response.status === 503 || /Resources exhausted/.test(text))) return undefined;
    throw new Fault('unexpected', `${q} was answered ${response.status}: ${text.slice(0, 300)}`);
  }
}

function floatOf(number: number, key: number): number {
  return number * 8 + key / 4;
}

/** Empty = the row has none. */
function textOf(writer: number, number: number, key: number): string {
  return (number + key) % 2 === 0 ? '' : `w${writer} "${number}" ü${key}`;
}

function lines(writer: number, number: number): string {
  const line = (_: unknown, key: number): string => {
    const text = textOf(writer, number, key);
    const more = text === '' ? '' : `,s="${text.replaceAll('"', '\\"')}"`;
    return `source,w=w${writer},k=${key} n=${number}i,v=${floatOf(number, key)}${more} ${number + 1}`;
  };
  return Array.from({ length: KEYS }, line).join('\n');
}
