import { setTimeout as delay } from 'node:timers/promises';
import { anySignal } from '../../src/shared/signals.ts';
import { type LifePlan, randomFor } from './plan.ts';
import type { World } from './world.ts';

/** Queries that need more memory than a small pool has. Whether they are answered is not looked at: rows must live beside them. */
export async function press(world: World, plan: LifePlan, url: string, stop: AbortSignal): Promise<void> {
  if (!plan.heavyQueries) return;
  const random = randomFor(world.options.seed, `pressure ${plan.number}`);
  while (!stop.aborted) {
    const tables = world.readableTables();
    if (tables.length > 0) {
      const { database, name } = random.pick(tables);
      const q = random.pick([
        `SELECT array_agg(t0 ORDER BY time) FROM "${name}"`,
        `SELECT a.w, count(*) FROM "${name}" a JOIN "${name}" b ON a.s = b.s GROUP BY a.w`,
        `SELECT * FROM "${name}" ORDER BY t0, s, time DESC`,
      ]);
      const body = JSON.stringify({ db: database.name, q, format: 'json' });
      const signal = anySignal(stop, AbortSignal.timeout(3000));
      await fetch(`${url}/api/v3/query_sql`, { method: 'POST', body, signal })
        .then((response) => response.arrayBuffer())
        .catch(() => undefined);
    }
    await delay(random.below(500), undefined, { signal: stop }).catch(() => undefined);
  }
}
