import type { Clock } from '../../shared/clock.ts';
import type { Log } from '../../shared/logger.ts';
import type { Store } from '../../storage/index.ts';
import type { AsideLog } from '../aside/index.ts';
import type { WriteBuffer } from '../buffer/index.ts';
import type { FileIndexStore } from '../file-index/file-index-store.ts';
import type { Wal, WalPeriod } from '../wal/index.ts';
import { Replay, type ReplayTables } from './replay.ts';

export interface ReplayLogsOptions {
  /** Where the log is. */
  readonly store: Pick<Store, 'bucket'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly buffer: WriteBuffer;
  readonly files: FileIndexStore;
  readonly wal: Wal;
  readonly asideLog: AsideLog;
  readonly catalog: ReplayTables;
  /** `--wal-replay-fail-on-error`. */
  readonly failOnError: boolean;
}

/** Objects of a log in a bucket that are fetched while earlier ones are applied. */
const READ_AHEAD_OBJECTS = 16;

/** A file whose rows, or some of them, are gone although they had been acknowledged. */
export interface LostRows {
  readonly path: string;
  readonly reason: string;
}

/** What a start found in its logs. */
export interface ReplayedLogs {
  /** One per file of the log with records, by number: seeds the snapshot planner. */
  readonly periods: readonly WalPeriod[];
  readonly lost: readonly LostRows[];
}

/** Brings everything that is not in Parquet files back into the buffer: first side logs, then the log. Throws `StartupError`. */
export async function replayLogs(options: ReplayLogsOptions): Promise<ReplayedLogs> {
  const { asideLog, buffer, clock, failOnError, files, log, wal } = options;
  const replay = new Replay(buffer, options.catalog, files.persistedRanges, files.tablesAside);
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
    expectedNumbers: files.persistedRanges.map(({ lastWalFileNumber }) => lastWalFileNumber),
    failOnError,
    ...(options.store.bucket === undefined ? {} : { readAheadFiles: READ_AHEAD_OBJECTS }),
    onRecord: (fileNumber, body) => applied(() => replay.record(fileNumber, body)),
  });
  if (report.recordCount + aside.recordCount > 0) {
    const elapsedMs = Math.round(clock.monotonicMs() - started);
    log.info('write-ahead log replayed', { files: report.periods.length, ...replay.stats, elapsed_ms: elapsedMs });
  }
  return { periods: report.periods, lost: [...aside.damaged, ...report.lost] };
}
