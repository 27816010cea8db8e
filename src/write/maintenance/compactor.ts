import type { Catalog, TableSchema } from '../../catalog/index.ts';
import { type Engine, sqlIdentifier } from '../../duckdb/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { InfluxError } from '../../shared/errors.ts';
import type { Log } from '../../shared/logger.ts';
import { unlessAborted } from '../../shared/signals.ts';
import { clampedTimeNs, TIME_NS_MAX } from '../../shared/time-range.ts';
import type { Store } from '../../storage/index.ts';
import { bufferColumn, chunkStart } from '../buffer/index.ts';
import type { LiveFile } from '../file-index/file-index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import { mergedFilePath } from '../file-index/file-path.ts';
import type { FileRemoval } from '../file-index/file-removal.ts';
import type { PendingFiles } from '../file-index/pending-files.ts';
import type { FileChecks } from '../parquet/file-checks.ts';
import { limitsFor } from '../parquet/file-windows.ts';
import { fileColumnNames, ParquetWriter } from '../parquet/parquet-writer.ts';
import { TagEnumerations } from '../parquet/tag-enumerations.ts';
import { fileColumnsSql, type ScanFile, tableScanSql } from '../scan/index.ts';
import type { ParquetFileInfo } from '../snapshot/index.ts';
import { type CompactionJob, type CompactionLimits, planCompaction } from './compaction-plan.ts';
import type { FileChanges } from './file-changes.ts';

export interface CompactorOptions {
  readonly store: Store;
  readonly catalog: Catalog;
  readonly engine: () => Promise<Engine>;
  readonly clock: Clock;
  readonly log: Log;
  readonly files: FileIndexStore;
  readonly pending: PendingFiles;
  readonly removal: FileRemoval;
  readonly changes: FileChanges;
  readonly limits: CompactionLimits;
  /** A set of files must have stayed the same this long, so that late rows do not cause a rewrite each. */
  readonly quietMs: number;
  /** Files as the scan reads them. */
  readonly scanFiles: (files: readonly LiveFile[]) => ScanFile[];
  /** Damaged files are not merged: the damage would go into a file that looks whole. */
  readonly checks: FileChecks<LiveFile>;
  /** True = something more important runs: no further file is begun. */
  readonly busy: () => boolean;
}

/** Sums since the start. */
export interface CompactionTotals {
  readonly runs: number;
  readonly filesIn: number;
  readonly filesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Time of these runs, ms. */
  readonly durationMs: number;
  /** Wall clock at the end of the last one, ms since the epoch; undefined = there was none. */
  readonly lastEndedAtMs: number | undefined;
}

/** Files in a job from which on it does not wait for quiet. */
const CROWDED_FILES = 32;

/** Time until a job with a damaged file is tried again: the file may have been put back. */
const DAMAGED_PAUSE_MS = 3_600_000;

interface RunningJob {
  readonly table: TableSchema;
  readonly job: CompactionJob;
  /** Last snapshot whose rows the result holds. */
  readonly dataSequence: number;
  /** Ends the file under way. */
  readonly signal: AbortSignal;
}

/** Merges small and overlapping Parquet files in the background, one at a time. */
export class Compactor {
  readonly #options: CompactorOptions;
  /** When a job was first seen with these files, monotonic ms. */
  #seen = new Map<string, number>();
  /** Jobs with damaged files: not tried again before this time, monotonic ms. */
  readonly #notBefore = new Map<string, number>();
  #totals: CompactionTotals = { runs: 0, filesIn: 0, filesOut: 0, bytesIn: 0, bytesOut: 0, durationMs: 0, lastEndedAtMs: undefined };

  constructor(options: CompactorOptions) {
    this.#options = options;
  }

  get totals(): CompactionTotals {
    return this.#totals;
  }

  /** Runs the jobs that are due, until `busy`. Returns how many files were merged away. Rejects when the disk fails. */
  async run(signal: AbortSignal): Promise<number> {
    let merged = 0;
    const started = this.#options.clock.monotonicMs();
    const before = this.#totals;
    // Files and deletes that come from now on get higher numbers, so they still win over the merged rows.
    const dataSequence = this.#options.files.index.sequence;
    for (const { key, table, job } of this.#due()) {
      if (signal.aborted || this.#options.busy()) break;
      const holding = this.#options.store.files.hold(job.files);
      const release = holding === undefined ? undefined : await unlessAborted(holding, signal, (late) => late()); // a bucket may not answer
      try {
        if (!(await this.#isWhole(job))) this.#notBefore.set(key, this.#options.clock.monotonicMs() + DAMAGED_PAUSE_MS);
        else if (await this.#runJob({ table, job, dataSequence, signal })) merged += job.files.length;
      } finally {
        release?.();
      }
    }
    if (merged > 0) {
      const { filesIn, filesOut, bytesIn, bytesOut } = this.#totals;
      this.#options.log.info('Parquet files compacted', {
        files_in: filesIn - before.filesIn,
        files_out: filesOut - before.filesOut,
        bytes_in: bytesIn - before.bytesIn,
        bytes_out: bytesOut - before.bytesOut,
        elapsed_ms: Math.round(this.#options.clock.monotonicMs() - started),
      });
    }
    return merged;
  }

  /** False = a file is damaged (logged by the check) or cannot be read. */
  async #isWhole(job: CompactionJob): Promise<boolean> {
    try {
      await this.#options.checks.verify(job.files);
      return true;
    } catch (error) {
      if (error instanceof InfluxError) return false;
      throw error;
    }
  }

  #due(): { key: string; table: TableSchema; job: CompactionJob }[] {
    const { catalog, clock, files, limits, quietMs } = this.#options;
    const nowMs = clock.monotonicMs();
    const seen = new Map<string, number>();
    const due: { key: string; table: TableSchema; job: CompactionJob }[] = [];
    for (const { databaseId, tableId, files: live } of files.index.tables()) {
      const table = catalog.tableById(databaseId, tableId);
      if (table === undefined || table.deleted) continue;
      for (const job of planCompaction(
        live,
        limitsFor(table.columns.length, limits),
        (file) => files.index.deletesOf(file) !== undefined,
      )) {
        const key = `${databaseId}/${tableId} ${job.files.map((file) => file.id).join(' ')} ${files.index.deletes().length}`;
        const sinceMs = this.#seen.get(key) ?? nowMs;
        seen.set(key, sinceMs);
        if (nowMs < (this.#notBefore.get(key) ?? 0)) continue;
        if (nowMs - sinceMs >= quietMs || job.files.length >= CROWDED_FILES) due.push({ key, table, job });
      }
    }
    this.#seen = seen;
    return due;
  }

  /** False = a file of the job was removed meanwhile, or the table went. */
  async #runJob({ table, job, dataSequence, signal }: RunningJob): Promise<boolean> {
    const { catalog, changes, files, pending, removal, store } = this.#options;
    if (catalog.tableById(table.databaseId, table.id) === undefined) return false;
    const started = this.#options.clock.monotonicMs();
    const release = removal.reader();
    const inputs = this.#options.scanFiles(job.files);
    const id = files.takeFileIds(1);
    const path = store.files.unique(mergedFilePath(table.databaseId, table.id, job.fromNs, id));
    try {
      await pending.announce([path]);
      const facts = await this.#write(table, inputs, path, signal);
      const output: ParquetFileInfo[] =
        facts === undefined
          ? []
          : [
              {
                databaseId: table.databaseId,
                tableId: table.id,
                id,
                path: `${store.prefix}/${path}`,
                ...facts,
                chunkTimeNs: clampedTimeNs(chunkStart(facts.minTimeNs, this.#options.limits.chunkDurationNs)),
                mayOverlap: false,
                dataSequence,
              },
            ];
      const replaced = await changes.replace(job.files, output);
      if (replaced) this.#count(job.files, output, started);
      else await this.#discard(path);
      return replaced;
    } finally {
      release();
    }
  }

  async #write(table: TableSchema, inputs: readonly ScanFile[], path: string, signal: AbortSignal) {
    const { limits, store } = this.#options;
    const engine = await this.#options.engine();
    const columns = table.columns.slice();
    const tags = columns.filter((column) => column.type === 'tag');
    const names = tags.map((tag) => bufferColumn(tag.id));
    const enumerations = await TagEnumerations.create(engine, names, `(${fileColumnsSql(table, tags, inputs)})`, 'merge');
    try {
      const scan = tableScanSql({
        table,
        columns: columns.map((column) => ({ column, as: bufferColumn(column.id) })),
        files: inputs,
        buffer: undefined,
        chunkDurationNs: limits.chunkDurationNs,
        minTimeNs: undefined,
        maxTimeNs: undefined,
        cutoffNs: undefined,
      });
      const fileNames = fileColumnNames(columns);
      const values = columns.map((column) => {
        const name = bufferColumn(column.id);
        return `${enumerations.cast(name, name)} AS ${sqlIdentifier(fileNames.get(column.id) as string)}`;
      });
      const source = `(SELECT ${values.join(', ')} FROM ${scan})`;
      const writer = new ParquetWriter(engine, store, signal);
      const fromNs = inputs.reduce((min, file) => (file.minTimeNs < min ? file.minTimeNs : min), TIME_NS_MAX);
      return await writer.write({ table, columns, source, where: undefined, fromNs, path });
    } catch (error) {
      await this.#discard(path).catch(() => undefined); // the first failure is the one to report; the path stays announced
      throw error;
    } finally {
      await enumerations.drop();
    }
  }

  async #discard(path: string): Promise<void> {
    await this.#options.store.files.discard(path);
    this.#options.pending.settle([path]);
  }

  #count(inputs: readonly LiveFile[], outputs: readonly ParquetFileInfo[], startedMs: number): void {
    const { clock } = this.#options;
    const bytes = (files: readonly ParquetFileInfo[]): number => files.reduce((sum, file) => sum + file.sizeBytes, 0);
    const { runs, filesIn, filesOut, bytesIn, bytesOut, durationMs } = this.#totals;
    this.#totals = {
      runs: runs + 1,
      filesIn: filesIn + inputs.length,
      filesOut: filesOut + outputs.length,
      bytesIn: bytesIn + bytes(inputs),
      bytesOut: bytesOut + bytes(outputs),
      durationMs: durationMs + clock.monotonicMs() - startedMs,
      lastEndedAtMs: clock.nowMs(),
    };
  }
}
