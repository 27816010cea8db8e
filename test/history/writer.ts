import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../fuzz/random.ts';
import { badLines, lines, slotText } from './bodies.ts';
import { Fault } from './check.ts';
import type { EmbeddedWrite, Host } from './host.ts';
import { type Answered, type LaneName, Lanes, type Sent } from './lanes.ts';
import type { Operation, Request } from './model.ts';
import { answered } from './patience.ts';
import { randomFor } from './plan.ts';
import type { Shape } from './shapes.ts';
import { Block, type Table } from './tables.ts';
import { ROWS_MAX, writerName } from './values.ts';
import type { World } from './world.ts';

const EXTRA_MINUTES_AGO = 60 * 24 * 40;

const NETWORK_LANES: readonly LaneName[] = ['plain', 'plain', 'gzip', 'gzip', 'chunked', 'raw', 'h2'];
const EMBEDDED_LANES: readonly LaneName[] = [...NETWORK_LANES, 'embedded', 'embedded', 'embedded'];

/** What has to be known of a request when its answer comes. */
interface Settling {
  readonly request: Request;
  /** Lines of the body that the server must refuse. */
  readonly badLines: number;
  readonly acceptPartial: boolean;
  readonly noSync: boolean;
}

const PLAIN = { badLines: 0, acceptPartial: false, noSync: false } as const;

/** A write ready to be sent. */
interface Planned extends Settling {
  readonly sent: Sent;
  /** The same for the interface of a server in process. */
  readonly embedded: EmbeddedWrite;
}

/** One client. It knows which operation it is at, and never touches a block before it knows how the last request on it ended. */
export class Writer {
  readonly #world: World;
  readonly #number: number;
  readonly #random: Random;
  #operations = 0;
  #slots = 0;

  constructor(world: World, number: number) {
    this.#world = world;
    this.#number = number;
    this.#random = randomFor(world.options.seed, `writer ${number}`);
  }

  /** Writes until it is told to stop or the server is gone. */
  async run(host: Host, life: number, stop: AbortSignal): Promise<void> {
    const lanes = new Lanes(host.url, this.#random);
    try {
      while (!stop.aborted) {
        await this.#pace(stop);
        if (stop.aborted) return;
        if (this.#random.chance(0.1)) await this.#burst(lanes, life, stop);
        else if (this.#random.chance(0.05)) await this.#delete(lanes, life, stop);
        else await this.#write(host, lanes, life, stop);
      }
    } finally {
      lanes.close();
    }
  }

  async #write(host: Host, lanes: Lanes, life: number, stop: AbortSignal): Promise<void> {
    const lane = this.#random.pick(this.#lanesOf(host));
    const planned = this.#plan(life, lane);
    if (planned === undefined) return delay(10);
    const answer = lane === 'embedded' ? (host.writeEmbedded?.(planned.embedded) as Promise<Answered>) : lanes.send(lane, planned.sent);
    await this.#settle(planned, answer, stop);
  }

  #lanesOf(host: Host): readonly LaneName[] {
    return host.writeEmbedded === undefined ? NETWORK_LANES : EMBEDDED_LANES;
  }

  /** Deletes all rows of this writer in some minutes of a table. */
  async #delete(lanes: Lanes, life: number, stop: AbortSignal): Promise<void> {
    const table = this.#pickTable();
    const blocks = [...(table?.blocks[this.#number]?.values() ?? [])];
    if (table === undefined || blocks.length === 0 || !table.exists) return;
    const first = this.#random.pick(blocks).slot;
    const last = first + this.#random.below(4);
    const hit = blocks.filter((block) => block.slot >= first && block.slot <= last && block.operations.length > 0);
    if (hit.length === 0 || hit.some((block) => block.inDoubt)) return;
    const request = this.#world.model.begin(this.#number, life, 'delete');
    for (const block of hit) {
      const operation: Operation = {
        request,
        block,
        kind: 'delete',
        number: ++this.#operations,
        from: 0,
        to: block.rows,
        fields: 0,
        sparse: false,
        twice: false,
      };
      block.operations.push(operation);
      request.operations.push(operation);
    }
    this.#world.counts.rowDeletes++;
    await this.#settle({ ...PLAIN, request }, lanes.send('plain', deleteOf(request)), stop);
  }

  /** Several requests on one connection before the first is answered. */
  async #burst(lanes: Lanes, life: number, stop: AbortSignal): Promise<void> {
    const all: Planned[] = [];
    for (let i = 2 + this.#random.below(6); i > 0; i--) {
      const planned = this.#plan(life, 'raw');
      if (planned !== undefined) all.push(planned);
    }
    const answers = lanes.pipelined(all.map(({ sent }) => sent));
    await Promise.all(all.map((planned, i) => this.#settle(planned, answers[i] as Promise<Answered>, stop)));
  }

  async #settle({ request, badLines: bad, acceptPartial, noSync }: Settling, coming: Promise<Answered>, stop: AbortSignal): Promise<void> {
    const { counts, model } = this.#world;
    let answer: Answered;
    try {
      answer = await answered(`${request.lane} write`, coming);
    } catch (error) {
      if (error instanceof Fault) throw error;
      counts.doubtful++;
      if (!stop.aborted) await delay(20); // the server is going; the end of the life is near
      return;
    }
    const { status, text } = answer;
    request.status = status;
    request.answeredMs = Date.now();
    if (bad > 0 && status === 400) {
      counts.refused++;
      if (acceptPartial) checkRefusals(text, bad);
      if (text.includes('partial write')) model.acknowledge(request);
      else model.revoke(request);
    } else if (bad === 0 && status === 204) {
      counts.acknowledged++;
      if (noSync) request.outcome = 'soft';
      else model.acknowledge(request);
    } else if (this.#world.shortOfMemory && /too many rows wait for memory/.test(text)) {
      counts.refused++;
      model.revoke(request);
    } else if ((status >= 500 && stop.aborted) || (this.#world.shortOfMemory && /is being opened again/.test(text))) counts.doubtful++;
    else throw new Fault('unexpected', `${request.lane} write answered ${status}: ${text.slice(0, 300)}`, request.operations[0]?.block);
  }

  /** Undefined when there is nothing to write to. */
  #plan(life: number, lane: LaneName): Planned | undefined {
    const random = this.#random;
    const table = this.#pickTable();
    if (table === undefined) return undefined;
    const request = this.#world.model.begin(this.#number, life, lane);
    this.#addOperation(request, table);
    const beside = this.#world.openTables().filter(({ database }) => database === table.database);
    while (random.chance(0.15)) this.#addOperation(request, random.pick(beside));
    const precision = random.pick<'ns' | 'us'>(['ns', 'us']);
    const text = request.operations.flatMap((operation) => lines(operation, precision));
    const bad = random.chance(0.06) && lane !== 'embedded' ? 1 + random.below(3) : 0;
    for (let i = 0; i < bad; i++) text.splice(random.below(text.length + 1), 0, random.pick(badLines));
    const endpoint = random.pick(['v3', 'v3', 'v2', 'v1']);
    const acceptPartial = endpoint === 'v3' && random.chance(0.7);
    const maySoft = request.operations.every(({ block }) => block.table.hasSoftWrites);
    const noSync = maySoft && endpoint === 'v3' && bad === 0 && lane !== 'embedded' && random.chance(0.2);
    const body = text.join('\n');
    const database = table.database.name;
    this.#world.counts.requests++;
    this.#world.counts.rows += request.operations.reduce((sum, { from, to }) => sum + to - from, 0);
    const sent = { path: writePath(endpoint, database, precision, acceptPartial, noSync), body: Buffer.from(body) };
    return { request, sent, embedded: { database, lines: body, precision }, badLines: bad, acceptPartial, noSync };
  }

  #pickTable(): Table | undefined {
    const open = this.#world.openTables();
    if (open.length === 0) return undefined;
    return this.#random.chance(0.5) ? open.at(-1) : this.#random.pick(open);
  }

  /** Rows of a new block, or new values for rows that are there. */
  #addOperation(request: Request, table: Table): void {
    const random = this.#random;
    const block = (random.chance(0.2) ? this.#oldBlock(table, request) : undefined) ?? this.#newBlock(table);
    const whole = block.operations.length === 0 || random.chance(0.5);
    const from = whole ? 0 : random.below(block.rows);
    const to = whole ? block.rows : from + 1 + random.below(block.rows - from);
    if (random.chance(0.02) && table.fieldCount < 31) table.fieldCount++;
    const fields = block.operations.length > 0 && random.chance(0.5) ? 0 : 1;
    const chosen = (random.below(2 ** 31) & ((1 << table.fieldCount) - 1)) | fields;
    const operation: Operation = {
      request,
      block,
      kind: 'write',
      number: ++this.#operations,
      from,
      to,
      fields: chosen === 0 ? 1 : chosen,
      sparse: (chosen & 1) === 1 && random.chance(0.4),
      twice: random.chance(0.1),
    };
    block.operations.push(operation);
    request.operations.push(operation);
  }

  #oldBlock(table: Table, request: Request): Block | undefined {
    const blocks = [...table.blocksOf(this.#number).values()];
    if (blocks.length === 0) return undefined;
    const block = this.#random.pick(blocks);
    return block.inDoubt || request.operations.some((operation) => operation.block === block) ? undefined : block;
  }

  #newBlock(table: Table): Block {
    const random = this.#random;
    const blocks = table.blocksOf(this.#number);
    const rows = random.pick([1, 1, 1 + random.below(50), 1 + random.below(50), 1 + random.below(1000), 1 + random.below(ROWS_MAX >> 1)]);
    const number = blocks.size;
    // Sixteen minutes are filled in a shuffled order; some rows are much older.
    const shuffled = (number & ~15) | ((number * 7 + 3) & 15);
    const slot = table.firstSlot + (random.chance(0.05) ? -EXTRA_MINUTES_AGO - number : shuffled);
    if (random.chance(0.03) && table.extraTagCount < 4) table.extraTagCount++;
    const shape: Shape = {
      series: random.pick(['few', 'few', 'few', 'own', 'odd']),
      seriesCount: random.pick([1, 3, 20, 200]),
      unique: `${this.#number}.${this.#slots++}`,
      extraTag: table.extraTagCount > 0 && random.chance(0.3) ? `x${random.below(table.extraTagCount)}` : undefined,
    };
    const block = new Block(table, this.#number, slot, rows, shape);
    blocks.set(slot, block);
    return block;
  }

  /** Holds back when the writers are ahead of the rows that were planned for this time. */
  async #pace(stop: AbortSignal): Promise<void> {
    const { counts, options, startedMs } = this.#world;
    const aheadMs = (counts.rows / options.rowsPerSecond) * 1000 - (Date.now() - startedMs);
    if (aheadMs > 0) await delay(Math.min(aheadMs, 200), undefined, { signal: stop }).catch(() => undefined);
  }
}

/** The request of a delete, also for its repetition. */
export function deleteOf({ writer, operations }: Request): Sent {
  const [first] = operations;
  if (first === undefined) throw new Error('a delete has operations');
  const slots = operations.map(({ block }) => block.slot);
  const predicate = `_measurement="${first.block.table.name}" AND w="${writerName(writer)}"`;
  const body = { start: slotText(Math.min(...slots)), stop: slotText(Math.max(...slots) + 1, -1), predicate };
  return { path: `/api/v2/delete?bucket=${first.block.table.database.name}&org=any`, body: Buffer.from(JSON.stringify(body)) };
}

function writePath(endpoint: string, database: string, precision: 'ns' | 'us', acceptPartial: boolean, noSync: boolean): string {
  switch (endpoint) {
    case 'v3': {
      const unit = precision === 'ns' ? 'nanosecond' : 'microsecond';
      return `/api/v3/write_lp?db=${database}&precision=${unit}&accept_partial=${acceptPartial}${noSync ? '&no_sync=true' : ''}`;
    }
    case 'v2':
      return `/api/v2/write?bucket=${database}&org=any&precision=${precision}`;
    default:
      return `/write?db=${database}&precision=${precision === 'ns' ? 'ns' : 'u'}`;
  }
}

/** A partial write tells each bad line. */
function checkRefusals(text: string, bad: number): void {
  if (!text.includes('partial write')) throw new Fault('unexpected', `a partial write was answered with ${text.slice(0, 300)}`);
  const told = text.match(/line_number/g)?.length ?? bad;
  if (told !== bad) throw new Fault('unexpected', `${bad} lines are bad, ${told} were told: ${text.slice(0, 300)}`);
}
