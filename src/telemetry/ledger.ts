import type { Log } from '../shared/logger.ts';
import { LedgerFile, type LedgerStorage } from './ledger-file.ts';
import { errorCode, type SendOutcome } from './sender.ts';

/** Attempts kept: about six weeks of hourly reports. */
export const LEDGER_ENTRIES_MAX = 1000;

/** Lines in the file (two per attempt) that make it rewritten with the newest attempts only. */
const LEDGER_LINES_MAX = LEDGER_ENTRIES_MAX * 2 + 500;

/** Longest text of one member that is taken back from the file. */
const TEXT_CHARS_MAX = 262_144;

/** One attempt to send, with everything that left the server. */
export interface LedgerEntry {
  readonly id: string;
  /** Start of the attempt, RFC 3339 in UTC. */
  readonly time: string;
  readonly endpoint: string;
  /** HTTP status of the answer; null when there was none. */
  readonly status: number | null;
  /** Why there was no answer; null when there was one. */
  readonly error: string | null;
  readonly durationMs: number | null;
  /** Length of the body in bytes. */
  readonly bytes: number;
  /** The body itself. */
  readonly body: string;
}

/** Error of an attempt whose end was never written down. */
export const INTERRUPTED = 'the server stopped before the outcome was known';

/**
 * Every attempt, in memory and (with a storage) across restarts. An attempt is written down before its first byte leaves
 * and again when it ends. A disk that fails costs the file, never the sending: it is logged once and counted.
 */
export class TelemetryLedger {
  private readonly storage: LedgerStorage | undefined;
  private readonly logger: Log;
  private readonly entries = new Map<string, LedgerEntry>();
  private lines = 0;
  private sequence = 0;
  private work: Promise<void> = Promise.resolve();
  /** Failed file operations. */
  storageErrors = 0;

  constructor(storage: LedgerStorage | undefined, logger: Log) {
    this.storage = storage;
    this.logger = logger;
  }

  /** Takes earlier attempts back from the file. Never rejects; lines that cannot be read are skipped. */
  load(): Promise<void> {
    return this.enqueue(async (storage) => {
      const parsed = parseLedger(await storage.read());
      for (const entry of parsed.entries) this.entries.set(entry.id, entry);
      this.lines = parsed.lines;
      this.forgetOldest();
      if (parsed.skipped > 0) this.logger.warn('skipped unreadable lines of the telemetry ledger', { lines: parsed.skipped });
    });
  }

  /** Writes an attempt down before it is made. Resolves, with its id, when it is on disk or the disk has failed. */
  async begin(timeMs: number, endpoint: string, body: Uint8Array): Promise<string> {
    this.sequence += 1;
    const id = `${timeMs}-${process.pid}-${this.sequence}`;
    const text = Buffer.from(body).toString('utf8');
    const attempt = { id, time: new Date(timeMs).toISOString(), endpoint, bytes: body.length, body: text };
    this.entries.set(id, { ...attempt, status: null, error: 'in progress', durationMs: null });
    this.forgetOldest();
    await this.append({ kind: 'attempt', ...attempt });
    return id;
  }

  /** Writes down how an attempt ended. */
  async finish(id: string, outcome: SendOutcome, durationMs: number): Promise<void> {
    const end = {
      status: outcome.kind === 'answered' ? outcome.status : null,
      error: outcome.kind === 'failed' ? outcome.error : null,
      durationMs: Math.round(durationMs),
    };
    const entry = this.entries.get(id);
    if (entry !== undefined) this.entries.set(id, { ...entry, ...end });
    await this.append({ kind: 'result', id, ...end });
    if (this.lines > LEDGER_LINES_MAX) await this.rewrite();
  }

  /** Oldest first. */
  list(): readonly LedgerEntry[] {
    return [...this.entries.values()];
  }

  private append(line: object): Promise<void> {
    return this.enqueue(async (storage) => {
      await storage.append(`${JSON.stringify(line)}\n`);
      this.lines += 1;
    });
  }

  private rewrite(): Promise<void> {
    return this.enqueue(async (storage) => {
      const lines = this.list().flatMap(entryLines);
      await storage.replace(lines.map((line) => `${line}\n`).join(''));
      this.lines = lines.length;
    });
  }

  private forgetOldest(): void {
    for (const id of this.entries.keys()) {
      if (this.entries.size <= LEDGER_ENTRIES_MAX) return;
      this.entries.delete(id);
    }
  }

  private enqueue(operation: (storage: LedgerStorage) => Promise<void>): Promise<void> {
    const { storage } = this;
    if (storage === undefined) return Promise.resolve();
    this.work = this.work.then(() => operation(storage)).catch((error: unknown) => this.noteStorageError(error));
    return this.work;
  }

  private noteStorageError(error: unknown): void {
    this.storageErrors += 1;
    if (this.storageErrors === 1) this.logger.warn('the telemetry ledger cannot be kept on disk', { error: errorCode(error) });
  }
}

/** Reads the ledger of a server that need not be running. Oldest first; empty when there is none. */
export async function readLedgerFile(path: string): Promise<readonly LedgerEntry[]> {
  return parseLedger(await new LedgerFile(path).read()).entries.slice(-LEDGER_ENTRIES_MAX);
}

function entryLines(entry: LedgerEntry): string[] {
  const { id, time, endpoint, bytes, body, status, error, durationMs } = entry;
  const attempt = JSON.stringify({ kind: 'attempt', id, time, endpoint, bytes, body });
  if (durationMs === null) return [attempt];
  return [attempt, JSON.stringify({ kind: 'result', id, status, error, durationMs })];
}

/** Attempts and outcomes put together; foreign, torn and repeated lines are skipped and counted. */
export function parseLedger(text: string): { entries: LedgerEntry[]; lines: number; skipped: number } {
  const entries = new Map<string, LedgerEntry>();
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  let skipped = 0;
  for (const line of lines) {
    const record = parseRecord(line);
    const known = record === undefined ? undefined : entries.get(record.id);
    if (record === undefined || (record.kind === 'attempt') === (known !== undefined)) skipped += 1;
    else if (record.kind === 'attempt') entries.set(record.id, { ...record.attempt, status: null, error: INTERRUPTED, durationMs: null });
    else if (known !== undefined) entries.set(record.id, { ...known, ...record.end });
  }
  return { entries: [...entries.values()], lines: lines.length, skipped };
}

type LedgerRecord =
  | { kind: 'attempt'; id: string; attempt: Pick<LedgerEntry, 'id' | 'time' | 'endpoint' | 'bytes' | 'body'> }
  | { kind: 'result'; id: string; end: Pick<LedgerEntry, 'status' | 'error' | 'durationMs'> };

function parseRecord(line: string): LedgerRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined; // torn by a crash, counted by the caller
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, id, time, endpoint, bytes, body, status, error, durationMs } = value as Record<string, unknown>;
  if (!isText(id)) return undefined;
  if (kind === 'attempt' && isText(time) && !Number.isNaN(Date.parse(time)) && isText(endpoint) && isNumber(bytes) && isText(body)) {
    return { kind, id, attempt: { id, time, endpoint, bytes, body } };
  }
  if (kind === 'result' && (status === null || isNumber(status)) && (error === null || isText(error)) && isNumber(durationMs)) {
    return { kind, id, end: { status, error, durationMs } };
  }
  return undefined;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= TEXT_CHARS_MAX;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
