import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import { Fault } from './check.ts';
import { type Answered, Lanes } from './lanes.ts';
import { answered } from './patience.ts';
import { randomFor } from './plan.ts';
import type { Table } from './tables.ts';
import { WRITERS_MAX, writerName } from './values.ts';
import type { World } from './world.ts';

/** Its rows are never stored: any row of this writer in an answer is a fault. */
const NOBODY = writerName(WRITERS_MAX - 1);

const WIDE_COLUMNS = 980;
const WIDE_ROWS = 48_000;
/** Fewer than the parser takes as a sign that only new series will follow. */
const WAITING_ROWS = 50;
const WIDE_LINE = `wide,w=${NOBODY} ${Array.from({ length: WIDE_COLUMNS }, (_, i) => `c${i}=1`).join(',')} 1`;
const TOO_LARGE = Buffer.alloc(10 * 1024 * 1024, '\n');
const BAD_LINE = Buffer.from('\nno_fields');
const PAUSE_MS_MAX = 1500;
/** Rows of the body behind a sparse one; more than wait of that one, so that each of those would reach a row of this. */
const NEXT_ROWS = 60;
/** It writes into one of the newest tables: none of them is dropped soon. */
const NEWEST = 3;

/** Sends what the server must refuse as a whole, beside the writers and into the same tables. */
export class Refuser {
  readonly #world: World;
  readonly #random: Random;
  /** Databases that have the tables `wide` and `next`. */
  readonly #prepared = new Set<string>();
  #bodies = 0;

  constructor(world: World, life: number) {
    this.#world = world;
    this.#random = randomFor(world.options.seed, `refuser ${life}`);
  }

  async run(url: string, stop: AbortSignal): Promise<void> {
    const lanes = new Lanes(url, this.#random);
    stop.addEventListener('abort', () => lanes.close(), { once: true });
    while (!stop.aborted) {
      const tables = this.#world.openTables();
      const table = tables.length === 0 ? undefined : this.#random.pick(tables.slice(-NEWEST));
      try {
        if (table !== undefined) await this.#refuse(lanes, url, table);
      } catch (error) {
        if (!stop.aborted) throw error;
      }
      await delay(this.#random.below(PAUSE_MS_MAX), undefined, { signal: stop }).catch(() => undefined);
    }
    lanes.close();
  }

  async #refuse(lanes: Lanes, url: string, table: Table): Promise<void> {
    const path = `/api/v3/write_lp?db=${table.database.name}`;
    const rows = this.#rows(table.name, 300);
    if (this.#random.chance(0.35)) return this.#refuseSparse(lanes, url, path, table);
    switch (this.#random.below(9)) {
      case 0:
        return this.#expect(413, lanes.send('gzip', { path, body: Buffer.concat([rows, TOO_LARGE]) }));
      case 1:
      case 2:
        return this.#expect(400, lanes.send('chunked', { path: `${path}&precision=parsec`, body: rows }));
      case 3:
      case 4:
        return this.#expect(400, lanes.send('h2', { path, body: Buffer.concat([rows, Buffer.from([0x0a, 0xff, 0xfe])]) }));
      case 5:
      case 6:
        return this.#expect(400, lanes.send('raw', { path: `${path}&accept_partial=false`, body: Buffer.concat([rows, BAD_LINE]) }));
      default:
        return cutOff(new URL(url), path, rows);
    }
  }

  /**
   * A sparse body, with rows of a table of writers, or of a table that the next body writes to at once: known series, and a new
   * one, with which those that wait of the refused body would come to light if they were still there.
   */
  async #refuseSparse(lanes: Lanes, url: string, path: string, table: Table): Promise<void> {
    await this.#prepare(lanes, path, table);
    if (this.#random.chance(0.4)) return this.#expect(413, lanes.send('plain', { path, body: this.#sparse(table.name) }));
    const next = this.#nextBody();
    const { version } = table;
    await this.#expect(413, lanes.send('plain', { path, body: this.#sparse('next') }));
    const { status, text } = await answered('a write behind a refused one', lanes.send('plain', { path, body: next.body }));
    if (status === 503 && this.#world.shortOfMemory) return;
    if (status !== 204) throw new Fault('unexpected', `a write behind a refused one: ${status}: ${text.slice(0, 300)}`);
    const { timeNs, rows } = next;
    const q = `SELECT s, i0 FROM next WHERE time >= to_timestamp_nanos(${timeNs}) AND time < to_timestamp_nanos(${timeNs + BigInt(rows.length)}) ORDER BY time`;
    const body = JSON.stringify({ db: table.database.name, q, format: 'csv' });
    const answer = await answered(q, fetch(`${url}/api/v3/query_sql`, { method: 'POST', body }));
    const found = await answer.text();
    if (table.version !== version || !table.isReadable || (answer.status !== 200 && this.#world.shortOfMemory)) return;
    const expected = ['s,i0', ...rows, ''].join('\n');
    if (found === expected) return;
    const [expectedRows, foundRows] = [expected, found].map((text) => text.trimEnd().split('\n'));
    const wrong = foundRows?.filter((row) => expectedRows?.includes(row) !== true) ?? [];
    const told = `${foundRows?.length} lines for ${expectedRows?.length}, not among these: ${wrong.slice(0, 20).join(' ')}`;
    throw new Fault('changed', `rows written behind a refused body are not as they were written: ${told}; ${q}`);
  }

  /** Rows of series that are new each time. */
  #rows(table: string, count: number): Buffer {
    const unique = this.#random.below(2 ** 31);
    return Buffer.from(Array.from({ length: count }, (_, i) => `${table},w=${NOBODY},s=q${unique}.${i} i0=${i}i`).join('\n'));
  }

  /** A body whose columns would take far more memory than its bytes: many rows of few fields, then one of many. */
  #sparse(table: string): Buffer {
    const narrow = `wide,w=${NOBODY} c0=1 1\n`.repeat(WIDE_ROWS);
    return Buffer.concat([this.#rows(table, WAITING_ROWS), Buffer.from(`\n${narrow}${WIDE_LINE}\n${WIDE_LINE}`)]);
  }

  async #prepare(lanes: Lanes, path: string, { database }: Table): Promise<void> {
    if (this.#prepared.has(database.name)) return;
    // Twice: the second finds the tables and is remembered, as the lines of clients that write for long are.
    for (let i = 0; i < 2; i++) {
      const body = Buffer.concat([Buffer.from(`${WIDE_LINE}\n`), this.#nextBody().body]);
      await this.#expect(204, lanes.send('plain', { path, body }));
    }
    this.#prepared.add(database.name);
  }

  /** A body for the table `next`, and its rows as they are read. */
  #nextBody(): { readonly body: Buffer; readonly timeNs: bigint; readonly rows: readonly string[] } {
    const number = this.#bodies++;
    const timeNs = BigInt(Date.now()) * 1_000_000n + BigInt((number % 1000) * 2 * NEXT_ROWS);
    const series = [...Array.from({ length: NEXT_ROWS }, (_, i) => `k${i}`), `n${this.#random.below(2 ** 31)}`];
    const lines = series.map((name, i) => `next,w=${NOBODY},s=${name} i0=${number * 100 + i}i ${timeNs + BigInt(i)}`);
    return { body: Buffer.from(lines.join('\n')), timeNs, rows: series.map((name, i) => `${name},${number * 100 + i}`) };
  }

  async #expect(status: number, answer: Promise<Answered>): Promise<void> {
    const { status: found, text } = await answered('a refused write', answer);
    if (found !== status) throw new Fault('unexpected', `${found}, not ${status}: ${text.slice(0, 300)}`);
    this.#world.counts.refused++;
  }
}

/** Sends two thirds of a body and closes the connection. */
function cutOff(url: URL, path: string, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: url.hostname, port: Number(url.port) }, () => {
      socket.write(`POST ${path} HTTP/1.1\r\nHost: ${url.host}\r\nContent-Length: ${body.length}\r\n\r\n`);
      socket.write(body.subarray(0, Math.floor((body.length * 2) / 3)), () => socket.destroy());
    });
    socket.on('error', reject);
    socket.on('close', () => resolve());
  });
}
