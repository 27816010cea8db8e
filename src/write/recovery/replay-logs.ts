import type { TableSchema } from '../../catalog/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../storage/index.ts';
import type { AsideLog } from '../aside/index.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { ReplayReport, Wal } from '../wal/index.ts';
import { Replay } from './replay.ts';

export interface ReplayLogsOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly buffer: WriteBuffer;
  readonly files: FileIndexStore;
  readonly wal: Wal;
  readonly asideLog: AsideLog;
  readonly tableSchema: (databaseId: number, tableId: number) => TableSchema | undefined;
  /** `--wal-replay-fail-on-error`. */
  readonly failOnError: boolean;
}

/** Brings everything that is not in Parquet files back into the buffer: first side logs, then the log. Throws `StartupError`. */
export async function replayLogs(options: ReplayLogsOptions): Promise<ReplayReport> {
  const { asideLog, buffer, clock, failOnError, files, log, wal } = options;
  const replay = new Replay(buffer, options.tableSchema, files.persistedRanges, files.tablesAside);
  const started = clock.monotonicMs();
  const applied = async (apply: () => void): Promise<void> => {
    await buffer.open();
    apply();
    await buffer.whenReady();
  };
  const aside = await asideLog.replay(
    files.tablesAside,
    (sourceNumber, body) => applied(() => replay.asideRecord(sourceNumber, body)),
    failOnError,
  );
  const report = await wal.replay({
    afterFileNumber: files.walFileNumber,
    failOnError,
    onRecord: (fileNumber, body) => applied(() => replay.record(fileNumber, body)),
  });
  if (report.recordCount + aside.recordCount > 0) {
    const elapsedMs = Math.round(clock.monotonicMs() - started);
    log.info({ files: report.periods.length, ...replay.stats, elapsed_ms: elapsedMs }, 'write-ahead log replayed');
  }
  return report;
}
