import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Admin } from './admin.ts';
import { readScope } from './ask-rows.ts';
import { Fault } from './check.ts';
import type { Copies } from './copies.ts';
import { type Host, startHost } from './host.ts';
import { Lanes } from './lanes.ts';
import type { Request } from './model.ts';
import { answered, eventually } from './patience.ts';
import { type LifePlan, randomFor } from './plan.ts';
import { press } from './pressure.ts';
import { everything, Reader } from './reader.ts';
import { Refuser } from './refuser.ts';
import type { Rounds } from './rounds.ts';
import type { Block } from './tables.ts';
import type { World } from './world.ts';
import { deleteOf, type Writer } from './writer.ts';

const LIFE_MS_MAX = 30_000;
/** Requests that wait for room may take half a minute of it. */
const END_MS_MAX = 240_000;

/** What outlives the lives of the server. */
export interface LifeParts {
  readonly directory: string;
  readonly writers: readonly Writer[];
  readonly rounds: Rounds;
  readonly copies: Copies;
  /** Given the server's log of the life. */
  readonly onLog: (text: string) => void;
}

/** One life of the server: start, compare all that is there, work beside readers, end. */
export async function live(world: World, plan: LifePlan, { directory, writers, rounds, copies, onLog }: LifeParts): Promise<void> {
  world.note(`life ${plan.number} starts, ${plan.kind}: ${plan.args.join(' ')}`);
  world.shortOfMemory = plan.heavyQueries;
  const more = await copies.begin(directory);
  const host = await startHost(directory, { ...plan, args: [...plan.args, ...more] });
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // each client listens
  const died = (): void => world.fail(new Fault('unexpected', `the server died by itself:\n${host.output.slice(-2000)}`));
  host.child.once('exit', died);
  const stopAll = (): void => stop.abort();
  world.failed.addEventListener('abort', stopAll, { once: true });
  try {
    const admin = new Admin(world, plan, host.url);
    await admin.settle();
    await repeatDeletes(world, host.url);
    await readAll(world, host.url);
    await rounds.readAll(host.url);
    await copies.readAll(host.url);
    world.note(`life ${plan.number}: everything compared`);
    const end = (): Promise<number | string> => {
      host.child.off('exit', died);
      world.note(`life ${plan.number} ends: ${plan.ending}`);
      const ended = host.kill(plan.ending);
      stop.abort();
      return answered(plan.ending, ended, END_MS_MAX);
    };
    await (plan.writes > 0 ? work({ world, plan, host, writers, rounds, copies, admin, stop: stop.signal, end }) : end());
  } finally {
    world.failed.removeEventListener('abort', stopAll);
    host.child.off('exit', died);
    stop.abort();
    await host.kill('SIGKILL');
    onLog(host.output);
  }
  world.counts.lives++;
  if (plan.ending === 'SIGKILL') world.counts.kills++;
}

interface Parts {
  readonly world: World;
  readonly plan: LifePlan;
  readonly host: Host;
  readonly writers: readonly Writer[];
  readonly rounds: Rounds;
  readonly copies: Copies;
  readonly admin: Admin;
  readonly stop: AbortSignal;
  /** Ends the server in the planned way and resolves with its exit code or signal. */
  readonly end: () => Promise<number | string>;
}

/** Everything at once until the planned writes are done; ends the server while all go on. */
async function work({ world, plan, host, writers, rounds, copies, admin, stop, end }: Parts): Promise<void> {
  const guarded = (task: Promise<void>): Promise<void> => task.catch((error) => world.fail(error));
  const readers = Array.from({ length: world.options.readers }, (_, i) => new Reader(world, `reader ${plan.number} ${i}`));
  const tasks = [
    ...writers.map((writer) => guarded(writer.run(host, plan.number, stop))),
    ...readers.map((reader) => guarded(reader.run(host.url, stop))),
    guarded(new Refuser(world, plan.number).run(host.url, stop)),
    guarded(rounds.run(host.url, stop)),
    guarded(copies.run(host.url, stop)),
    guarded(admin.run(stop)),
    guarded(pause(host, plan, stop)),
    guarded(press(world, plan, host.url, stop)),
  ];
  await enough(world, plan.writes, stop);
  const code = await end();
  await Promise.all(tasks);
  if (plan.ending === 'SIGTERM' && code !== 0 && world.fault === undefined)
    world.fail(new Fault('unexpected', `SIGTERM ended the server with ${code}:\n${host.output.slice(-2000)}`));
  if (plan.ending !== 'SIGTERM') return;
  for (const request of [...world.model.doubtful]) if (request.outcome === 'soft') world.model.acknowledge(request);
}

/** Resolves after so many acknowledged writes more, or when a slow machine has had its time. */
async function enough(world: World, writes: number, stop: AbortSignal): Promise<void> {
  const wanted = world.counts.acknowledged + writes;
  const latestMs = Date.now() + LIFE_MS_MAX;
  while (!stop.aborted && world.counts.acknowledged < wanted && Date.now() < latestMs) await delay(5);
}

/** A delete without an answer may have been done in part: doing it again completes it. */
async function repeatDeletes(world: World, url: string): Promise<void> {
  const lanes = new Lanes(url, randomFor(world.options.seed, 'deletes'));
  for (const request of [...world.model.doubtful]) {
    if (request.operations[0]?.kind !== 'delete') continue;
    if (!request.operations[0].block.table.isReadable) continue;
    const { status, text } = await answered('a repeated delete', lanes.send('plain', deleteOf(request)));
    if (status !== 204) throw new Fault('unexpected', `repeating a delete was answered ${status}: ${text}`);
    world.model.acknowledge(request);
  }
  lanes.close();
}

/** Compares every row of every table, and finds out what became of requests without an answer. */
async function readAll(world: World, url: string): Promise<void> {
  const { model } = world;
  const seen = new Map<Request, boolean>();
  const onFit = (block: Block, states: readonly number[]): void => {
    const last = block.operations.at(-1);
    if (last === undefined || !block.inDoubt || states.length !== 1) return;
    const happened = states[0] === block.operations.length;
    if ((seen.get(last.request) ?? happened) !== happened)
      throw new Fault('torn', `a request without an answer took place in part: rows of operation ${last.number}`, block, last.from);
    seen.set(last.request, happened);
  };
  for (const table of world.readableTables()) {
    const manner = { language: 'sql', format: 'csv', columns: '*', end: '', onFit } as const;
    const read = (): Promise<boolean> => readScope(world, url, everything(table), manner);
    // A life that is short of memory may need some of it for its files first, but not for ever.
    if (table.exists && !(world.shortOfMemory ? await eventually(read) : await read()))
      throw new Fault('unexpected', `table ${table.name} cannot be read after a start`);
    if (!table.exists) await read();
  }
  for (const request of [...model.doubtful]) {
    if (seen.get(request) === true) model.acknowledge(request);
    else model.revoke(request);
  }
}

async function pause(host: Host, plan: LifePlan, stop: AbortSignal): Promise<void> {
  const startedMs = Date.now();
  for (const { atMs, ms } of [...plan.pauses].sort((a, b) => a.atMs - b.atMs)) {
    await delay(Math.max(0, startedMs + atMs - Date.now()), undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    host.child.kill('SIGSTOP');
    await delay(ms, undefined, { signal: stop }).catch(() => undefined);
    host.child.kill('SIGCONT');
  }
}
