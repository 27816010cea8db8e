import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { TestServer } from '../support/server.ts';
import { Fault } from './check.ts';
import type { Block, Request } from './model.ts';
import { type LifePlan, randomFor } from './plan.ts';
import { Reader, readScope } from './reader.ts';
import { Refuser } from './refuser.ts';
import type { World } from './world.ts';
import type { Writer } from './writer.ts';

/** One life of the server: start, compare all that is there, work beside readers, end. Returns the server's log. */
export async function live(world: World, plan: LifePlan, directory: string, writers: readonly Writer[]): Promise<string> {
  world.note(`life ${plan.number} starts: ${plan.args.join(' ')}`);
  const server = await TestServer.start(directory, { args: plan.args });
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // each client listens
  const died = (): void => world.fail(new Fault('unexpected', `the server died by itself:\n${server.output.slice(-2000)}`));
  server.child.once('exit', died);
  const stopAll = (): void => stop.abort();
  world.failed.addEventListener('abort', stopAll, { once: true });
  try {
    await readAll(world, server.url);
    world.note(`life ${plan.number}: everything compared`);
    const guarded = (work: Promise<void>): Promise<void> => work.catch((error) => world.fail(error));
    const readers = Array.from({ length: world.options.readers }, (_, i) => new Reader(world, plan.number * 100 + i));
    const work = [
      ...writers.map((writer) => guarded(writer.run(server.url, plan.number, stop.signal))),
      ...readers.map((reader) => guarded(reader.run(server.url, stop.signal))),
      guarded(new Refuser(world, plan.number).run(server.url, stop.signal)),
      guarded(openTables(world, plan, stop.signal)),
      guarded(pause(server, plan, stop.signal)),
    ];
    await delay(plan.ms, undefined, { signal: stop.signal }).catch(() => undefined);
    server.child.off('exit', died);
    world.note(`life ${plan.number} ends: ${plan.ending}`);
    const ended = server.kill(plan.ending);
    stop.abort();
    await ended;
    await Promise.all(work);
    world.counts.kills++;
    if (plan.ending === 'SIGTERM')
      for (const request of world.model.doubtful) if (request.outcome === 'soft') world.model.acknowledge(request);
  } finally {
    world.failed.removeEventListener('abort', stopAll);
    server.child.off('exit', died);
    await server.kill('SIGKILL');
  }
  return server.output;
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
  for (const table of model.tables) {
    if (table.blocks.length === 0) continue;
    const scope = { table, writers: undefined, slotFrom: Number.NEGATIVE_INFINITY, slotTo: Number.POSITIVE_INFINITY };
    await readScope(world, url, scope, { format: 'csv', columns: '*', order: '', onFit });
  }
  for (const request of [...model.doubtful]) {
    if (seen.get(request) === true) model.acknowledge(request);
    else model.revoke(request);
  }
}

async function openTables(world: World, plan: LifePlan, stop: AbortSignal): Promise<void> {
  const random = randomFor(world.options.seed, `tables ${plan.number}`);
  for (let i = 0; !stop.aborted; i++) {
    const database = random.chance(0.15) ? `h${plan.number}_${i}` : (world.open.at(-1)?.database ?? 'h');
    world.openTable(database, `t${plan.number}_${i}`);
    if (world.open.length > 6) world.open.splice(random.below(4), 1);
    await delay(300 + random.below(2000), undefined, { signal: stop }).catch(() => undefined);
  }
}

async function pause(server: TestServer, plan: LifePlan, stop: AbortSignal): Promise<void> {
  const startedMs = Date.now();
  for (const { atMs, ms } of [...plan.pauses].sort((a, b) => a.atMs - b.atMs)) {
    await delay(Math.max(0, startedMs + atMs - Date.now()), undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    server.child.kill('SIGSTOP');
    await delay(ms, undefined, { signal: stop }).catch(() => undefined);
    server.child.kill('SIGCONT');
  }
}
