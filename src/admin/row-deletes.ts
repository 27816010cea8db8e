import type { ValueCaches } from '../caches/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { DeleteRequest } from '../write/deletes/index.ts';

/** Deletes rows by time range, table and tags. Throws DATABASE_NOT_FOUND. */
export interface DeleteService {
  deleteRows(database: string, request: DeleteRequest): Promise<void>;
}

export interface RowDeleteDependencies {
  readonly catalog: Catalog;
  readonly caches: Pick<ValueCaches, 'refresh'>;
  readonly writes: DeleteService;
}

/** The one way in for row deletes: durable when it resolves, and the caches of the tables forget the rows. */
export function rowDeletes({ caches, catalog, writes }: RowDeleteDependencies): DeleteService {
  return {
    async deleteRows(database, request) {
      await writes.deleteRows(database, request);
      for (const table of catalog.database(database)?.tables.values() ?? []) {
        if (request.table === undefined || request.table === table.name) caches.refresh(table.databaseId, table.id);
      }
    },
  };
}
