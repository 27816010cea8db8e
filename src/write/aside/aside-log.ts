import { join } from 'node:path';
import type { DatabaseId, TableId } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { errorText, type FileSystem, moveAside, StorageStartupError, systemErrorCode, unlinkIfPresent } from '../../storage/index.ts';
import { tablePart } from '../batch/index.ts';
import type { TableAside } from '../file-index/snapshot-info.ts';
import { readSideLog, type SideLogOptions, SideLogWriter, type Wal } from '../wal/index.ts';

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

/**
 * Side logs of tables that cannot be written to files, below `<root>/aside`: their records of WAL files that are about to
 * be deleted. A file counts only once a snapshot info names it; what none names is removed at start.
 */
export class AsideLog {
  readonly #options: SideLogOptions;
  readonly #log: Log;
  readonly #held = new Set<ReadonlySet<string>>();
  /** Held files that no info names any more. */
  readonly #needless = new Set<string>();

  /** @param root the node's directory */
  constructor(options: { readonly fs: FileSystem; readonly root: string; readonly uuid: string; readonly log: Log }) {
    this.#options = { fs: options.fs, directory: join(options.root, 'aside'), uuid: options.uuid };
    this.#log = options.log;
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
      const baseName = `${table.databaseId}-${table.tableId}-${String(upTo).padStart(11, '0')}`;
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
        copied.push({ databaseId, tableId, upToFileNumber: upTo, files: await writer.finish() });
      }
      return copied;
    } catch (error) {
      for (const { writer } of writers) await writer.abandon().catch(() => undefined); // the next start removes it
      throw error;
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
        await unlinkIfPresent(fs, join(directory, name));
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
    const { directory, fs } = this.#options;
    const named = new Set(tables.flatMap(({ files }) => files));
    await this.remove((await fs.readdir(directory)).filter((name) => LEFT_NAME.test(name) && !named.has(name)));
    const damaged: { path: string; reason: string }[] = [];
    let recordCount = 0;
    for (const name of named) {
      const { damage, records } = await this.#read(name);
      if (damage !== undefined) {
        const path = join(directory, name);
        if (failOnError) throw refused(path, damage);
        damaged.push({ path, reason: damage });
        this.#log.error('the side log of a table is not whole: rows are lost', { path, reason: damage, records: records.length });
        if (damage !== MISSING) await moveAside(fs, path).catch(() => undefined); // stays where it is then
      }
      for (const { sourceNumber, body } of records) await onRecord(sourceNumber, body);
      recordCount += records.length;
    }
    return { recordCount, damaged };
  }

  async #read(name: string): Promise<Awaited<ReturnType<typeof readSideLog>>> {
    try {
      return await readSideLog(this.#options, name);
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT') throw error;
      return { records: [], damage: MISSING };
    }
  }
}

/** Side logs, complete or not; `.corrupt` ones stay. */
const LEFT_NAME = /^\d+-\d+-\d{11,}-\d+\.rows(\.tmp)?$/;

const MISSING = 'file is missing';

function refused(path: string, damage: string): StorageStartupError {
  return new StorageStartupError(
    'WAL_CORRUPT',
    `side log '${path}' cannot be used: ${damage}; start without --wal-replay-fail-on-error to go on without its rows`,
  );
}
