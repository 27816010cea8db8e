import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { CATALOG_SNAPSHOT_KEY, readCatalogSnapshot } from '../catalog/index.ts';
import type { Clock } from '../shared/clock.ts';
import { InfluxError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type CancelTimer, systemTimers, type Timers } from '../shared/timers.ts';
import { piecesOf } from '../storage/index.ts';
import { decodeFileIndex, INDEX_KEY } from '../write/file-index/index.ts';
import type { PinnedFile, PinnedMoment } from '../write/index.ts';
import type { OfferedFile, OfferedMoment } from './contract.ts';

/** A moment is let go when nobody asked for it this long, ms. */
const LEASE_MS = 120_000;

/** As long may pass until a file that is being sent moves on: its reader may be gone without a word, or have stopped. */
const STALLED_MS = 600_000;

const LOOK_EVERY_MS = 10_000;

/** Moments held at once: each keeps files on disk that would be deleted otherwise. */
const SESSIONS_MAX = 4;

export interface BackupSessionsOptions {
  /** As `WriteStore.pin`. */
  readonly pin: () => Promise<PinnedMoment>;
  readonly nodeId: string;
  readonly version: string;
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly logger: Logger;
}

interface Session {
  readonly moment: PinnedMoment;
  readonly offered: OfferedMoment;
  readonly sources: ReadonlyMap<string, Pick<PinnedFile, 'path' | 'source' | 'sizeBytes'>>;
  /** Files that are being sent. */
  readonly reading: Set<Readable>;
  usedAtMs: number;
}

/** Moments that the server holds for those who copy them; a client that went away without a word loses its moment after a while. */
export class BackupSessions {
  readonly #options: BackupSessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #stopLooking: CancelTimer;
  #opening = 0;
  #stopped = false;

  constructor(options: BackupSessionsOptions) {
    this.#options = options;
    this.#stopLooking = (options.timers ?? systemTimers).every(LOOK_EVERY_MS, () => this.#expire());
  }

  /** Holds the present moment. Throws TOO_MANY_BACKUPS, and what `pin` throws. */
  async begin(): Promise<OfferedMoment> {
    if (this.#sessions.size + this.#opening >= SESSIONS_MAX) throw tooManyBackups();
    this.#opening += 1;
    try {
      const moment = await this.#options.pin();
      if (this.#stopped) {
        moment.release();
        throw backupEnded('the server stops');
      }
      return this.#hold(moment);
    } finally {
      this.#opening -= 1;
    }
  }

  /** Bytes of a file of a moment, and how many. Throws NO_SUCH_BACKUP, NO_SUCH_FILE, BACKUP_ENDED. */
  read(id: string, path: string): { readonly body: Readable; readonly sizeBytes: number } {
    const session = this.#session(id);
    const bytes = session.moment.objects.get(path);
    if (bytes !== undefined) return { body: Readable.from([Buffer.from(bytes)]), sizeBytes: bytes.byteLength };
    const file = session.sources.get(path);
    if (file === undefined) throw noSuchFile(path);
    const onPiece = (): void => {
      session.usedAtMs = this.#nowMs();
    };
    const source = bodyOf(file);
    const body = Readable.from(watched(source, onPiece), { objectMode: false });
    session.reading.add(body);
    body.once('close', () => {
      source.destroy(); // also when nothing of it was asked for
      session.reading.delete(body);
      onPiece();
    });
    return { body, sizeBytes: file.sizeBytes };
  }

  /** Lets a moment go. Throws NO_SUCH_BACKUP. */
  release(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined) throw noSuchBackup(id);
    this.#drop(id, session);
  }

  /** Lets all moments go. */
  stop(): void {
    this.#stopped = true;
    this.#stopLooking();
    for (const [id, session] of this.#sessions) this.#drop(id, session);
  }

  #hold(moment: PinnedMoment): OfferedMoment {
    const id = randomUUID();
    const { uuid, checksums } = described(moment);
    const files: OfferedFile[] = [
      ...[...moment.objects].map(([path, bytes]) => ({ path, sizeBytes: bytes.byteLength })),
      ...moment.files.map(({ path, sizeBytes }) => ({ path, sizeBytes, crc32: checksums.get(path) })),
    ];
    const { clock, nodeId, version } = this.#options;
    const takenAt = new Date(clock.nowMs()).toISOString();
    const offered = { id, nodeId, version, catalogUuid: uuid, catalogSequence: moment.catalogSequence, takenAt, files };
    const sources = new Map(moment.files.map((file) => [file.path, file]));
    this.#sessions.set(id, { moment, offered, sources, reading: new Set(), usedAtMs: this.#nowMs() });
    return offered;
  }

  #session(id: string): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw noSuchBackup(id);
    if (session.moment.signal.aborted) {
      this.#drop(id, session);
      throw backupEnded(String(session.moment.signal.reason));
    }
    session.usedAtMs = this.#nowMs();
    return session;
  }

  #expire(): void {
    for (const [id, session] of this.#sessions) {
      const leaseMs = session.reading.size > 0 ? STALLED_MS : LEASE_MS;
      if (this.#nowMs() - session.usedAtMs < leaseMs) continue;
      this.#options.logger.warn('a backup was not finished and is let go', { id, after_secs: leaseMs / 1000 });
      this.#drop(id, session);
      for (const body of session.reading) body.destroy(new Error('nobody takes the file'));
    }
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs();
  }

  #drop(id: string, session: Session): void {
    this.#sessions.delete(id);
    session.moment.release();
  }
}

const READ_BYTES = 512 * 1024;

/** The same, told of each piece that is taken. */
async function* watched(pieces: AsyncIterable<Uint8Array>, onPiece: () => void): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    onPiece();
    yield piece;
  }
}

/** The bytes of a file, up to the size of the moment: a log file may be longer on disk for a while. */
function bodyOf({ path, sizeBytes, source }: Pick<PinnedFile, 'path' | 'source' | 'sizeBytes'>): Readable {
  if (sizeBytes === 0) return Readable.from([]);
  if (typeof source === 'string') return createReadStream(source, { end: sizeBytes - 1, highWaterMark: READ_BYTES });
  return Readable.from(piecesOf(source, path, sizeBytes));
}

/** Checksums of the Parquet files, from the index of the moment. */
function described({ objects }: PinnedMoment): { uuid: string; checksums: ReadonlyMap<string, number> } {
  const catalog = objects.get(CATALOG_SNAPSHOT_KEY);
  const index = objects.get(INDEX_KEY);
  if (catalog === undefined || index === undefined) throw new Error('a moment without its catalog or file index');
  const { uuid } = readCatalogSnapshot(catalog);
  const stored = decodeFileIndex(new Uint8Array(index), uuid);
  if (typeof stored === 'string') throw new Error(`the file index of the moment: ${stored}`);
  const known = stored.files.flatMap((file) => (file.crc32 === undefined ? [] : [[belowNode(file.path), file.crc32] as const]));
  return { uuid, checksums: new Map(known) };
}

/** The path of a file behind the node's id. */
function belowNode(path: string): string {
  return path.slice(path.indexOf('/') + 1);
}

function tooManyBackups(): InfluxError {
  const message = `${SESSIONS_MAX} backups are being taken already: wait until one has ended`;
  return new InfluxError({ code: 'TOO_MANY_BACKUPS', message, status: 429, shape: 'json' });
}

function noSuchBackup(id: string): InfluxError {
  const message = `no backup ${id} is being taken: it ended, or nobody asked for its files for ${LEASE_MS / 60_000} minutes; take it again`;
  return new InfluxError({ code: 'NO_SUCH_BACKUP', message, status: 404, shape: 'json' });
}

function noSuchFile(path: string): InfluxError {
  return new InfluxError({ code: 'NO_SUCH_BACKUP_FILE', message: `the backup has no file ${path}`, status: 404, shape: 'json' });
}

function backupEnded(reason: string): InfluxError {
  const message = `the backup cannot go on: ${reason}; take it again`;
  return new InfluxError({ code: 'BACKUP_ENDED', message, status: 410, shape: 'json' });
}
