import type { HttpDependencies } from '../server/http/index.ts';
import type { OpenStorage } from './storage.ts';

/** Row deletes that the caches of the database follow. */
export function rowDeletes({ caches, catalog, writes }: OpenStorage): HttpDependencies['deleteService'] {
  return {
    async deleteRows(database, request) {
      await writes.deleteRows(database, request);
      for (const table of catalog.database(database)?.tables.values() ?? []) {
        if (request.table === undefined || request.table === table.name) caches.refresh(table.databaseId, table.id);
      }
    },
  };
}
