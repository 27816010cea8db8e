import type { WalFileNumber } from '../../shared/ids.ts';
import type { Log } from '../../shared/logger.ts';
import { pause, type Timers } from '../../shared/timers.ts';
import type { Fence, ObjectStore } from '../../storage/index.ts';
import { FileIndexStore } from '../file-index/file-index-store.ts';

export interface ClaimOptions {
  /** With a `bucket` other processes can reach the objects. */
  readonly store: { readonly objects: ObjectStore; readonly fence: Fence; readonly bucket: object | undefined };
  readonly catalog: { readonly uuid: string };
  readonly log: Log;
  readonly nodeId: string;
  readonly timers: Timers;
  readonly wal: { readonly replayFailOnError: boolean };
  /** Between attempts to put a claim; 1000 by default. */
  readonly retryPauseMs?: number;
  readonly infosPerCheckpoint?: number | undefined;
}

/** The part of a log that ends other processes, see `Wal`. */
export interface ClaimedLog {
  claim(above: WalFileNumber): Promise<WalFileNumber | undefined>;
}

/**
 * Loads the file index. In a bucket it first ends every other process that writes there: its log, then its snapshot infos, so
 * that what is loaded is all that it made durable.
 */
export async function claimAndLoad(wal: ClaimedLog, options: ClaimOptions): Promise<FileIndexStore> {
  const { catalog, log, nodeId, store, timers } = options;
  const wait = (): Promise<void> => pause(timers, options.retryPauseMs ?? CLAIM_PAUSE_MS);
  for (let above = 0; ; ) {
    const claimed = await wal.claim(above);
    const files = await FileIndexStore.open({
      objects: store.objects,
      uuid: catalog.uuid,
      log,
      failOnError: options.wal.replayFailOnError,
      fence: store.fence,
      infosPerCheckpoint: options.infosPerCheckpoint,
      claim: store.bucket && { nodeId, pause: wait },
    });
    // Numbers up to there were used, and their objects deleted: the claim would not be the next of the other process.
    if (claimed === undefined || files.walFileNumber < claimed) return files;
    above = files.walFileNumber;
  }
}

/** Between attempts to put a claim. */
const CLAIM_PAUSE_MS = 1_000;
