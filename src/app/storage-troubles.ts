import { basename } from 'node:path';
import type { OpenStorage } from './storage.ts';

/** What is wrong with stored data although the server goes on, one line each, for `/health`. */
export function storageTroubles({ catalog, writes }: Pick<OpenStorage, 'catalog' | 'writes'>): string[] {
  const lost = writes.store.lostRows.map(({ path, reason }) => `rows lost: ${basename(path)}: ${reason}`);
  const infos = writes.store.lostInfos.map(({ path, reason }) => `files not served: ${basename(path)}: ${reason}`);
  const aside = writes.store.tablesAside.map(({ databaseId, table, tableId, bytes, reason }) => {
    const database = catalog.databaseById(databaseId);
    const name = `table ${JSON.stringify(table?.name ?? String(tableId))} of database ${JSON.stringify(database?.name ?? String(databaseId))}`;
    const why = reason === undefined ? '' : `: ${reason.split('\n')[0]}`;
    return `set aside: ${name} cannot be written to files, ${bytes} bytes wait in memory${why}`;
  });
  return [...lost, ...infos, ...aside];
}
