import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DatabaseId, TableId } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import {
  type BucketStore,
  errorText,
  moveAside,
  type ObjectStore,
  ObjectStoreError,
  StorageStartupError,
  type Store,
  unlinkIfPresent,
} from '../../storage/index.ts';
import { tablePart } from '../batch/index.ts';
import type { TableAside } from '../file-index/snapshot-info.ts';
import { decodeSideLog, type SideLogOptions, SideLogWriter, type Wal } from '../wal/index.ts';

/** A table by its ids. */
export interface TableIds {
  readonly databaseId: DatabaseId;
  readonly tableId: TableId;
}

/** Told of what a side log holds of a table: the WAL file that it comes from and the body of the record. */
export type AsideRecordHandler = (sourceNumber: number, body: Uint8Array) => void | Promise<void>;

/** What a start found of side logs. */
export interface AsideReplayReport {
  readonly recordCount: number;
  /** Files that were missing or not whole: rows are lost. */
  readonly damaged: readonly { readonly path: string; readonly reason: string }[];
}

type AsideStore = Pick<Store, 'fs' | 'root' | 'objects' | 'bucket'>;

/** Of side logs. */
const FOLDER = 'aside/';

/**
 * Side logs of tables that cannot be written to files, below `<root>/aside`: their records of WAL files that are about to
 * be deleted. A file counts only once a snapshot info names it; what none names is removed at start.
 */
export class AsideLog {
  readonly #options: SideLogOptions;
  readonly #objects: ObjectStore;
  readonly #bucket: BucketStore | undefined;
  readonly #log: Log;
  /** Of this process, in the names of its files in a bucket. */
  readonly #mark = randomBytes(4).toString('hex');
  readonly #held = new Set<ReadonlySet<string>>();
  /** Held files that no info names any more. */
  readonly #needless = new Set<string>();

  constructor({ store, uuid, log }: { readonly store: AsideStore; readonly uuid: string; readonly log: Log }) {
    this.#options = { fs: store.fs, directory: join(store.root, 'aside'), uuid };
    this.#objects = store.objects;
    this.#bucket = store.bucket?.store;
    this.#log = log;
  }

  /**
   * Copies the records of tables from closed WAL files into files of their own. Durable when it resolves; rejects when log
   * or disk fail, and then leaves nothing behind that counts.
   * @param tables with the WAL file after which each begins
   * @param upTo last WAL file that is copied
   */
  async copy(wal: Wal, tables: readonly (TableIds & { readonly after: number })[], upTo: number): Promise<TableAside[]> {
    const { directory, fs } = this.#options;
    await fs.mkdir(directory);
    await fs.syncDirectory(join(directory, '..'));
    const writers = tables.map((table) => {
      const own = this.#bucket === undefined ? '' : `-${this.#mark}`;
      const baseName = `${table.databaseId}-${table.tableId}-${String(upTo).padStart(11, '0')}${own}`;
      return { table, writer: new SideLogWriter(this.#options, baseName) };
    });
    try {
      const first = tables.reduce((min, { after }) => Math.min(min, after), upTo);
      await wal.readClosed(first, upTo, async (fileNumber, body) => {
        for (const { table, writer } of writers) {
          if (fileNumber <= table.after) continue;
          const part = tablePart(body, table.databaseId, table.tableId);
          if (part !== undefined) await writer.add(fileNumber, part);
        }
      });
      const copied: TableAside[] = [];
      for (const { table, writer } of writers) {
        const { databaseId, tableId } = table;
        const files = await writer.finish();
        await this.#keep(files);
        copied.push({ databaseId, tableId, upToFileNumber: upTo, files });
      }
      return copied;
    } catch (error) {
      for (const { writer } of writers) await writer.abandon().catch(() => undefined); // the next start removes it
      throw error;
    }
  }

  /** Makes files that are complete in the directory part of the store. */
  async #keep(names: readonly string[]): Promise<void> {
    const { directory, fs } = this.#options;
    if (this.#bucket === undefined) return;
    for (const name of names) {
      const path = join(directory, name);
      await this.#bucket.putFile(FOLDER + name, path, await fs.size(path));
      await unlinkIfPresent(fs, path);
    }
  }

  /** Keeps files until the returned function is called, which removes those that became needless meanwhile. */
  hold(names: readonly string[]): () => void {
    const held = new Set(names);
    this.#held.add(held);
    return () => {
      if (!this.#held.delete(held)) return;
      const due = [...this.#needless].filter((name) => held.has(name));
      for (const name of due) this.#needless.delete(name);
      void this.remove(due);
    };
  }

  /** Removes files that no info names any more, as soon as nobody holds them. What cannot be removed is left to the next start. */
  async remove(names: readonly string[]): Promise<void> {
    const { directory, fs } = this.#options;
    for (const name of names) {
      if ([...this.#held].some((held) => held.has(name))) {
        this.#needless.add(name);
        continue;
      }
      try {
        await (this.#bucket?.delete([FOLDER + name]) ?? unlinkIfPresent(fs, join(directory, name)));
      } catch (error) {
        this.#log.warn('the side log of a table could not be removed, will be tried again at the next start', {
          name,
          error: errorText(error),
        });
      }
    }
  }

  /**
   * Hands all records to `onRecord`, table after table, each in the order of the log. Removes files that no table names.
   * Throws `StorageStartupError` WAL_CORRUPT for a file that is missing or not whole, with `failOnError`.
   */
  async replay(tables: readonly TableAside[], onRecord: AsideRecordHandler, failOnError: boolean): Promise<AsideReplayReport> {
    const { fs } = this.#options;
    const named = new Set(tables.flatMap(({ files }) => files));
    await this.remove((await this.#names()).filter((name) => LEFT_NAME.test(name) && !named.has(name)));
    const damaged: { path: string; reason: string }[] = [];
    let recordCount = 0;
    for (const name of named) {
      const { damage, records } = await this.#read(name);
      if (damage !== undefined) {
        const path = this.#objects.locate(FOLDER + name);
        if (failOnError) throw refused(path, damage);
        damaged.push({ path, reason: damage });
        this.#log.error('the side log of a table is not whole: rows are lost', { path, reason: damage, records: records.length });
        if (damage !== MISSING && this.#bucket === undefined) await moveAside(fs, path).catch(() => undefined); // stays where it is then
      }
      for (const { sourceNumber, body } of records) await onRecord(sourceNumber, body);
      recordCount += records.length;
    }
    return { recordCount, damaged };
  }

  /** Of all files, half-written ones of a directory included. */
  async #names(): Promise<string[]> {
    if (this.#bucket === undefined) return this.#options.fs.readdir(this.#options.directory);
    const names: string[] = [];
    for await (const key of this.#bucket.list(FOLDER)) names.push(key.slice(FOLDER.length));
    return names;
  }

  async #read(name: string): Promise<ReturnType<typeof decodeSideLog>> {
    try {
      return decodeSideLog(await this.#objects.get(FOLDER + name), this.#options.uuid);
    } catch (error) {
      if (!(error instanceof ObjectStoreError && error.code === 'NOT_FOUND')) throw error;
      return { records: [], damage: MISSING };
    }
  }
}

/** Side logs, complete or not; `.corrupt` ones stay. */
const LEFT_NAME = /^\d+-\d+-\d{11,}(-[0-9a-f]{8})?-\d+\.rows(\.tmp)?$/;

const MISSING = 'file is missing';

function refused(path: string, damage: string): StorageStartupError {
  return new StorageStartupError(
    'WAL_CORRUPT',
    `side log '${path}' cannot be used: ${damage}; start without --wal-replay-fail-on-error to go on without its rows`,
  );
}
