import { setTimeout as delay } from 'node:timers/promises';
import { readCsv } from './answers.ts';
import { Fault } from './check.ts';
import { answered } from './patience.ts';
import type { Cell } from './values.ts';
import type { World } from './world.ts';

const DATABASE = 'rounds';
const KEYS = 40;
const READERS = 4;
/** Each round is in a chunk of its own, whatever the length of chunks. */
const SPACING_S = 600;
const FIRST_S = 1_000_000_000;
/** Rounds that a reader looks back. */
const LOOKED_AT = 4;
/** Rounds would make many files without it. */
const PAUSE_MS = 25;

/** Bodies of a round: two with the same keys, and one with rows that are written once. */
const BODIES = 3;
const REPEATED = 2;

/** What is known of a round: how many of its bodies were sent and acknowledged. */
interface Round {
  sent: number;
  acknowledged: number;
}

/**
 * Rounds of three bodies: the first writes new keys in a new chunk, the second writes all of them again. Beside them readers ask
 * DuckDB for the last rounds as fast as they can, so that a query's view falls between the two, and its run after both: then a key must
 * come once, and all keys of a round have the values of one body. The third goes to a table whose rows are written once: another reader
 * asks for them, and has its answers from columns in memory.
 */
export class Rounds {
  readonly #world: World;
  readonly #rounds: Round[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Compares all rounds of former lives. */
  async readAll(url: string): Promise<void> {
    if (this.#rounds.length > 0) {
      await this.#read(url, 0);
      await this.#readOnce(url, 0);
    }
  }

  /** Writes and reads until it is told to stop. Rejects with a `Fault`. */
  async run(url: string, stop: AbortSignal): Promise<void> {
    const guarded = async (task: () => Promise<void>): Promise<void> => {
      while (!stop.aborted) {
        await task().catch((error: unknown) => {
          // A server that is ending may refuse or break off; what it says until then must be right.
          if (!stop.aborted || (error instanceof Fault && error.kind !== 'unexpected')) throw error;
        });
      }
    };
    const writes = guarded(() => this.#write(url, stop));
    const reads = Array.from({ length: READERS }, () => guarded(() => this.#read(url, this.#rounds.length - LOOKED_AT)));
    reads.push(guarded(() => this.#readOnce(url, this.#rounds.length - LOOKED_AT)));
    await Promise.all([writes, ...reads]);
  }

  async #write(url: string, stop: AbortSignal): Promise<void> {
    const round: Round = { sent: 0, acknowledged: 0 };
    const number = this.#rounds.push(round) - 1;
    for (let body = 0; body < BODIES; body++) {
      round.sent++;
      if (!(await this.#send(url, lines(number, body)))) return;
      round.acknowledged++;
    }
    await delay(PAUSE_MS, undefined, { signal: stop }).catch(() => undefined);
  }

  /** False = there was too little memory in a life that is short of it; the body may be there or not. */
  async #send(url: string, body: string): Promise<boolean> {
    const sent = fetch(`${url}/api/v3/write_lp?db=${DATABASE}&precision=second`, { method: 'POST', body });
    const response = await answered('a write of a round', sent);
    const text = await response.text();
    if (response.status === 204) return true;
    if (this.#world.shortOfMemory && response.status === 503) return false;
    throw new Fault('unexpected', `a write of a round was answered ${response.status}: ${text.slice(0, 300)}`);
  }

  async #read(url: string, from: number): Promise<void> {
    const first = Math.max(0, from);
    const columns = 'min(r) AS r, k, count(*) AS n, min(v) AS least, max(v) AS most';
    const before = this.#acknowledged(first).map((bodies) => Math.min(bodies, REPEATED));
    const rows = await this.#ask(url, `SELECT ${columns} FROM m ${since(first)} GROUP BY time, k HAVING count(*) > 0`, before);
    if (rows !== undefined) this.#compare(rows, first, before);
  }

  async #readOnce(url: string, from: number): Promise<void> {
    const first = Math.max(0, from);
    const before = this.#acknowledged(first).map((bodies) => Math.max(0, bodies - REPEATED));
    const rows = await this.#ask(url, `SELECT r, k, v FROM once ${since(first)}`, before);
    if (rows === undefined) return;
    const found = new Map<number, number>();
    for (const [r, key, value] of rows) {
      const round = Number(r);
      if (Number(value) !== round * 2 + REPEATED)
        throw new Fault('changed', `key ${key} of round ${round} is ${value} in the table of rows written once`);
      found.set(round, (found.get(round) ?? 0) + 1);
    }
    for (const [round, keys] of found) {
      if ((this.#rounds[round]?.sent ?? 0) < BODIES) throw new Fault('invented', `round ${round} has rows of a body that was not sent`);
      if (keys !== KEYS)
        throw new Fault(keys > KEYS ? 'doubled' : 'torn', `${keys} rows of round ${round} are there, ${KEYS} were written at once`);
    }
    before.forEach((acknowledged, i) => {
      if (acknowledged === 1 && !found.has(first + i)) throw new Fault('lost', `the rows of round ${first + i} that were written once`);
    });
  }

  #acknowledged(first: number): number[] {
    return this.#rounds.slice(first).map(({ acknowledged }) => acknowledged);
  }

  /** Undefined when nothing can be said of an answer, because the table may not be there or the server is short of memory. */
  async #ask(url: string, q: string, before: readonly number[]): Promise<readonly (readonly Cell[])[] | undefined> {
    if (before.every((acknowledged) => acknowledged === 0)) {
      await delay(PAUSE_MS);
      return undefined;
    }
    const body = JSON.stringify({ db: DATABASE, q, format: 'csv' });
    const response = await answered(q, fetch(`${url}/api/v3/query_sql`, { method: 'POST', body }));
    const text = await answered(q, response.text());
    this.#world.counts.questions++;
    if (response.status !== 200) {
      if (this.#world.shortOfMemory && (response.status === 503 || /Resources exhausted/.test(text))) return undefined;
      throw new Fault('unexpected', `${q} was answered ${response.status}: ${text.slice(0, 300)}`);
    }
    const { rows } = readCsv(text);
    this.#world.counts.rowsVerified += rows.length;
    this.#world.counts.cellsVerified += rows.length * 2;
    return rows;
  }

  /** @param rows round, key, how many times it comes, its least and its greatest value */
  #compare(rows: readonly (readonly Cell[])[], first: number, before: readonly number[]): void {
    const found = new Map<number, { readonly body: number; keys: number }>();
    for (const [r, key, count, least, most] of rows) {
      const round = Number(r);
      if (Number(count) !== 1) throw new Fault('doubled', `key ${key} of round ${round} comes ${count} times`);
      const body = Number(least) % 2;
      if (least !== most || Math.floor(Number(least) / 2) !== round) throw new Fault('changed', `key ${key} of round ${round} is ${least}`);
      const known = found.get(round);
      if (known === undefined) found.set(round, { body, keys: 1 });
      else if (known.body !== body) throw new Fault('torn', `round ${round} has rows of both of its bodies`);
      else known.keys++;
    }
    for (const [round, { body, keys }] of found) {
      const sent = this.#rounds[round]?.sent ?? 0;
      if (body >= sent) throw new Fault('invented', `round ${round} has rows of a body that was not sent`);
      if (keys !== KEYS) throw new Fault('torn', `${keys} keys of round ${round} are there, ${KEYS} were written at once`);
    }
    before.forEach((acknowledged, i) => {
      const bodies = (found.get(first + i)?.body ?? -1) + 1;
      if (bodies < acknowledged)
        throw new Fault('lost', `round ${first + i}: ${acknowledged} bodies were acknowledged, ${bodies} are there`);
    });
  }
}

function since(round: number): string {
  return `WHERE time >= '${new Date((FIRST_S + round * SPACING_S) * 1000).toISOString()}'`;
}

function lines(round: number, body: number): string {
  const time = FIRST_S + round * SPACING_S;
  const table = body < REPEATED ? 'm' : 'once';
  return Array.from({ length: KEYS }, (_, key) => `${table},k=k${key} r=${round}i,v=${round * 2 + body}i ${time}`).join('\n');
}
