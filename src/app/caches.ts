import { HistoryReader, ValueCaches } from '../caches/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { ServeConfig } from '../config/index.ts';
import type { QueryExecutor } from '../query/index.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import { systemTimers } from '../shared/timers.ts';

/** The caches that the catalog defines, empty: the log's replay and later writes fill them. */
export function openCaches(catalog: Catalog, clock: Clock, logger: Logger): ValueCaches {
  const log = logger.child('influxdb3_cache');
  return new ValueCaches({ catalog, clock, onWarning: (message, fields) => log.warn(message, fields) });
}

/** Lets caches forget what expired and read stored rows when they are new. */
export function startCaches(
  { catalog, caches }: { readonly catalog: Catalog; readonly caches: ValueCaches },
  config: Pick<ServeConfig, 'caches'>,
  clock: Clock,
  executor: QueryExecutor,
): void {
  caches.start(systemTimers, config.caches, new HistoryReader({ catalog, clock, query: (request) => executor.internalSql(request) }));
}
