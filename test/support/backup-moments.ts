import { buffer } from 'node:stream/consumers';
import type { BackupSource, OfferedMoment } from '../../src/backup/index.ts';
import { BackupSessions } from '../../src/backup/sessions.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import type { MemoryObjectStore } from './memory-object-store.ts';
import type { TestWriteStore } from './write-store.ts';

/** Bytes that arrive at once. */
const CHUNK_BYTES = 64 * 1024;

/** What a server would offer at one moment, with all bytes. */
export interface TestMoment {
  readonly offered: OfferedMoment;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The present moment of a store. */
export async function momentOf(store: TestWriteStore): Promise<TestMoment> {
  const sessions = new BackupSessions({
    ...{ pin: () => store.writes.pin(), nodeId: 'n1', version: 'test', clock: systemClock, logger: silentLogger },
  });
  try {
    const offered = await sessions.begin();
    const files = new Map<string, Uint8Array>();
    for (const { path } of offered.files) files.set(path, await buffer(sessions.read(offered.id, path).body));
    return { offered, files };
  } finally {
    sessions.stop();
  }
}

/** A server that offers a moment that was held once. */
export class MomentSource implements BackupSource {
  /** Paths of files that were asked for. */
  readonly reads: string[] = [];
  touches = 0;
  /** Awaited before a file is sent. */
  beforeRead: (path: string) => Promise<void> = async () => undefined;
  readonly #moment: TestMoment;
  readonly #takenAt: string;

  constructor(moment: TestMoment, takenAt = moment.offered.takenAt) {
    this.#moment = moment;
    this.#takenAt = takenAt;
  }

  async begin(): Promise<OfferedMoment> {
    return { ...this.#moment.offered, takenAt: this.#takenAt };
  }

  async read(_: OfferedMoment, path: string): Promise<AsyncIterable<Uint8Array>> {
    this.reads.push(path);
    await this.beforeRead(path);
    const bytes = this.#moment.files.get(path) ?? new Uint8Array(0);
    return (async function* () {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) yield bytes.subarray(at, at + CHUNK_BYTES);
    })();
  }

  async touch(): Promise<void> {
    this.touches++;
  }

  async release(): Promise<void> {}
}

/** Lets all clients of a bucket in memory know when each object was written, by one clock. */
export class BucketClock {
  nowMs = 0;
  readonly #written = new Map<string, number>();

  watch<B extends MemoryObjectStore>(bucket: B): B {
    bucket.modifiedMs = (key) => this.#written.get(key);
    bucket.lost = (key) => {
      this.#written.set(key, this.nowMs);
      return undefined;
    };
    return bucket;
  }
}
