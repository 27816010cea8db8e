import { decodeCatalogFile, encodeCatalogFile } from './codec.ts';
import { INTERNAL_DATABASE } from './names.ts';
import { loadState } from './state-codec.ts';

/** A catalog snapshot, as a file holds it. */
export interface CatalogSnapshotFile {
  readonly uuid: string;
  readonly sequence: number;
  /** Live databases by name, with their ids; without `_internal`. */
  readonly databases: ReadonlyMap<string, number>;
}

interface Line {
  readonly line: string;
  readonly id?: number;
  readonly db?: number;
  readonly name?: string;
}

/** What a catalog snapshot says. Throws an Error with the reason when the bytes are none. */
export function readCatalogSnapshot(bytes: Uint8Array): CatalogSnapshotFile {
  const { payload, sequence, uuid } = decoded(bytes);
  const databases = [...loadState(payload).databases.values()].filter(({ deleted, name }) => !deleted && name !== INTERNAL_DATABASE);
  return { uuid, sequence, databases: new Map(databases.map(({ id, name }) => [name, id])) };
}

export interface SnapshotSelection {
  /** Databases that stay; undefined = all. `_internal` always does. */
  readonly databaseIds?: ReadonlySet<number> | undefined;
  /** False: the nodes that wrote it are forgotten, so that another one can take it over. */
  readonly keepNodes: boolean;
}

/** The same snapshot with less in it. Ids that were given out stay given out, so that log records of what went are told from damage. */
export function selectFromSnapshot(bytes: Uint8Array, { databaseIds, keepNodes }: SnapshotSelection): Uint8Array {
  const file = decoded(bytes);
  const stays = (id: number | undefined): boolean => databaseIds === undefined || id === INTERNAL_ID || databaseIds.has(id ?? -1);
  const lines = Buffer.from(file.payload)
    .toString('utf8')
    .split('\n')
    .filter((text) => {
      if (text === '') return false;
      const { db, id, line } = JSON.parse(text) as Line;
      if (line === 'node') return keepNodes;
      if (line === 'database') return stays(id);
      return line !== 'table' || stays(db);
    });
  return encodeCatalogFile({ ...file, payload: Buffer.from(lines.map((line) => `${line}\n`).join('')) });
}

const INTERNAL_ID = 0;

function decoded(bytes: Uint8Array): Exclude<ReturnType<typeof decodeCatalogFile>, string> {
  const file = decodeCatalogFile(bytes, 'snapshot');
  if (typeof file === 'string') throw new Error(`catalog snapshot: ${file}`);
  return file;
}
