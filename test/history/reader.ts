import type { Random } from '../fuzz/random.ts';
import { type Answer, readCsv, readJson, readJsonLines } from './answers.ts';
import { slotTimeNs } from './bodies.ts';
import { checkRows, Fault, type OnFit, type Scope } from './check.ts';
import type { Table } from './model.ts';
import { randomFor } from './plan.ts';
import { writerName } from './values.ts';
import type { World } from './world.ts';

type Format = 'csv' | 'json' | 'jsonl';

const readers: Readonly<Record<Format, (text: string) => Answer>> = { csv: readCsv, json: readJson, jsonl: readJsonLines };

/** Asks for rows while they change and compares each answer with the model. */
export class Reader {
  readonly #world: World;
  readonly #random: Random;

  constructor(world: World, number: number) {
    this.#world = world;
    this.#random = randomFor(world.options.seed, `reader ${number}`);
  }

  /** Reads until it is told to stop. */
  async run(url: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const tables = this.#world.model.tables.filter((table) => table.blocks.length > 0);
      if (tables.length === 0) {
        await new Promise(setImmediate);
        continue;
      }
      try {
        await this.#ask(url, this.#random.chance(0.5) ? (tables.at(-1) as Table) : this.#random.pick(tables));
      } catch (error) {
        if (error instanceof Fault || !stop.aborted) throw error;
        return;
      }
    }
  }

  async #ask(url: string, table: Table): Promise<void> {
    const random = this.#random;
    const writer = random.below(this.#world.options.writers);
    const slots = [...(table.blocks[writer]?.keys() ?? [])];
    const slotFrom = slots.length === 0 ? this.#world.firstSlot : random.pick(slots) - random.below(3);
    const slotTo = slotFrom + 1 + random.below(6);
    const writers = random.chance(0.3) ? undefined : [writer];
    const scope: Scope = { table, writers, slotFrom, slotTo };
    const order = random.chance(0.5) ? ' ORDER BY time' : '';
    const columns = random.chance(0.5) ? '*' : 'time, w, s, i0';
    await readScope(this.#world, url, scope, { format: random.pick<Format>(['csv', 'json', 'jsonl']), columns, order });
  }
}

/** How rows are asked for. */
export interface Manner {
  readonly format: Format;
  /** Select list. */
  readonly columns: string;
  /** End of the statement. */
  readonly order: string;
  readonly onFit?: OnFit;
}

/** Reads all rows of a scope and checks each of them. */
export async function readScope(world: World, url: string, scope: Scope, { format, columns, order, onFit }: Manner): Promise<void> {
  const { model, counts } = world;
  const conditions: string[] = [];
  if (scope.writers !== undefined) conditions.push(`w IN (${scope.writers.map((writer) => `'${writerName(writer)}'`).join(', ')})`);
  if (Number.isFinite(scope.slotFrom)) conditions.push(`time >= '${timeText(scope.slotFrom)}' AND time < '${timeText(scope.slotTo)}'`);
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`;
  const q = `SELECT ${columns} FROM "${scope.table.name}"${where}${order}`;
  const askedAt = model.tick();
  const response = await fetch(`${url}/api/v3/query_sql`, {
    method: 'POST',
    body: JSON.stringify({ db: scope.table.database, q, format }),
  });
  const text = await response.text();
  const answeredAt = model.tick();
  counts.questions++;
  if (response.status !== 200) {
    if (isUnknown(response.status, text) && isNew(scope, askedAt)) return;
    throw new Fault('unexpected', `${q} answered ${response.status}: ${text.slice(0, 300)}`);
  }
  try {
    const verified = checkRows(scope, { askedAt, answeredAt }, readers[format](text), onFit);
    counts.rowsVerified += verified.rows;
    counts.cellsVerified += verified.cells;
  } catch (error) {
    if (error instanceof Fault) error.message = `${error.message}\n  asked: ${q} (${format})`;
    throw error;
  }
}

function timeText(slot: number): string {
  return new Date(Number(slotTimeNs(slot) / 1_000_000n)).toISOString();
}

/** A table or column that was not yet made by an acknowledged write. */
function isUnknown(status: number, text: string): boolean {
  return (status === 404 && /database not found/.test(text)) || (status === 400 && /not found|No field named/.test(text));
}

/** No row of the table was acknowledged before the question. */
function isNew({ table }: Scope, askedAt: number): boolean {
  for (const block of table.allBlocks()) {
    if (block.operations.some(({ request }) => request.acknowledgedAt < askedAt)) return false;
  }
  return true;
}
