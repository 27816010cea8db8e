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
const TOO_LARGE = Buffer.alloc(10 * 1024 * 1024, '\n');
const BAD_LINE = Buffer.from('\nno_fields');
const PAUSE_MS_MAX = 1500;
/** It writes into one of the newest tables: none of them is dropped soon. */
const NEWEST = 3;

/** Sends what the server must refuse as a whole, beside the writers and into the same tables. */
export class Refuser {
  readonly #world: World;
  readonly #random: Random;
  readonly #wide = new Set<string>();

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
    const rows = this.#rows(table, 300);
    if (this.#random.chance(0.35)) return this.#expect(413, lanes.send('plain', { path, body: await this.#sparse(lanes, path, table) }));
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

  /** Rows of series that are new each time. */
  #rows(table: Table, count: number): Buffer {
    const unique = this.#random.below(2 ** 31);
    return Buffer.from(Array.from({ length: count }, (_, i) => `${table.name},w=${NOBODY},s=q${unique}.${i} i0=${i}i`).join('\n'));
  }

  /** A body whose columns would take far more memory than its bytes: many rows of few fields, then one of many. */
  async #sparse(lanes: Lanes, path: string, table: Table): Promise<Buffer> {
    const wide = `wide,w=${NOBODY} ${Array.from({ length: WIDE_COLUMNS }, (_, i) => `c${i}=1`).join(',')} 1`;
    if (!this.#wide.has(table.database.name)) {
      // Twice: the second finds the table and is remembered, as the lines of clients that write for long are.
      for (let i = 0; i < 2; i++) await this.#expect(204, lanes.send('plain', { path, body: Buffer.from(wide) }));
      this.#wide.add(table.database.name);
    }
    const narrow = `wide,w=${NOBODY} c0=1 1\n`.repeat(WIDE_ROWS);
    return Buffer.concat([this.#rows(table, WAITING_ROWS), Buffer.from(`\n${narrow}${wide}\n${wide}`)]);
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
