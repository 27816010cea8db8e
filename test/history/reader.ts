import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import { readDistinctCache, readLastCache } from './ask-caches.ts';
import { readGroups, readRepeats, readTotals } from './ask-groups.ts';
import { readScope } from './ask-rows.ts';
import { Fault, type Scope } from './check.ts';
import { randomFor } from './plan.ts';
import type { Format } from './question.ts';
import type { Table } from './tables.ts';
import type { World } from './world.ts';

const PAUSE_MS = 20;
const ASKED_AGAIN = 4;

/** A question that columns in memory can answer. */
const FROM_MEMORY = { language: 'sql', columns: 'time, w, s, i0', end: '' } as const;

/** Asks all kinds of questions while the rows change, and compares each answer with the model. */
export class Reader {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, name: string) {
    this.#world = world;
    this.#random = randomFor(world.options.seed, name);
  }

  /** Reads until it is told to stop. */
  async run(url: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const tables = this.#world.readableTables();
      if (tables.length === 0) await delay(PAUSE_MS);
      else {
        const table = this.#random.chance(0.5) ? (tables.at(-1) as Table) : this.#random.pick(tables);
        await this.#ask(url, table).catch((error: unknown) => {
          // A server that is ending may refuse or break off; what it says until then must be right.
          if (!stop.aborted || (error instanceof Fault && error.kind !== 'unexpected')) throw error;
        });
      }
    }
  }

  #ask(url: string, table: Table): Promise<unknown> {
    const random = this.#random;
    const scope = this.#scope(table);
    switch (random.below(14)) {
      case 0:
        return this.#again(() => readGroups(this.#world, url, scope, ''));
      case 1:
        return readGroups(this.#world, url, scope, ' HAVING count(*) > 0');
      case 2:
        return this.#again(() =>
          readScope(this.#world, url, scope, { ...FROM_MEMORY, format: random.pick<Format>(['csv', 'json', 'flight']) }),
        );
      case 9:
        return readTotals(this.#world, url, random.chance(0.5) ? scope : everything(table));
      case 3:
        return readRepeats(this.#world, url, scope);
      case 4:
        return this.#askInfluxql(url, scope);
      case 5:
        return table.caches.has('last_cache') ? readLastCache(this.#world, url, table) : this.#askRows(url, scope);
      case 6:
        return table.caches.has('distinct_cache') ? readDistinctCache(this.#world, url, table) : this.#askRows(url, scope);
      default:
        return this.#askRows(url, scope);
    }
  }

  /** What is asked for again is answered from columns in memory, which follow the rows that come meanwhile. */
  async #again(ask: () => Promise<unknown>): Promise<void> {
    for (let i = 0; i < ASKED_AGAIN; i++) await ask();
  }

  #askRows(url: string, scope: Scope): Promise<boolean> {
    const random = this.#random;
    const format = random.pick<Format>(['csv', 'json', 'jsonl', 'parquet', 'flight', 'prepared']);
    // Tags, integers and floats without an order come from columns in memory, the others from DuckDB.
    const columns = random.pick(['*', 'time, w, s, i0', 'time, w, s, i0, f0']);
    const end = random.chance(0.3) ? ' ORDER BY time' : '';
    return readScope(this.#world, url, scope, { language: 'sql', format, columns, end });
  }

  #askInfluxql(url: string, scope: Scope): Promise<boolean> {
    const language = this.#random.pick(['v1', 'influxql'] as const);
    const format = this.#random.pick<Format>(language === 'v1' ? ['csv', 'json'] : ['csv', 'jsonl']);
    return readScope(this.#world, url, scope, { language, format, columns: '*', end: '' });
  }

  #scope(table: Table): Scope {
    const random = this.#random;
    const writer = random.below(this.#world.options.writers);
    const slots = [...(table.blocks[writer]?.keys() ?? [])];
    const slotFrom = slots.length === 0 ? table.firstSlot : random.pick(slots) - random.below(3);
    const writers = random.chance(0.25) ? undefined : random.chance(0.3) ? [writer, (writer + 1) % this.#world.options.writers] : [writer];
    return { table, writers, slotFrom, slotTo: slotFrom + 1 + random.below(6) };
  }
}

/** All rows of a table. */
export function everything(table: Table): Scope {
  return { table, writers: undefined, slotFrom: Number.NEGATIVE_INFINITY, slotTo: Number.POSITIVE_INFINITY };
}
