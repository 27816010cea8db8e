import { systemClock } from '../../shared/clock.ts';
import { formatDurationNs } from '../../shared/duration.ts';
import { type CliIo, write } from '../io.ts';

/** What was done so far. */
export interface Done {
  readonly requests: number;
  readonly lines: number;
  readonly bytes: number;
  /** Share of the input, 0 to 1; undefined while its size is not known. */
  readonly share?: number | undefined;
}

/** Progress to standard error: one line that is painted again on a terminal, else a line a second at most, and the last one always. */
export class ProgressLine {
  readonly #io: CliIo;
  readonly #startMs = systemClock.monotonicMs();
  #shownMs = Number.NEGATIVE_INFINITY;
  #pending: string | undefined;

  constructor(io: CliIo) {
    this.#io = io;
  }

  /** Shows a text, or keeps it for later when another was shown just now. `textOf` gets the milliseconds since the start. */
  async show(textOf: (elapsedMs: number) => string): Promise<void> {
    const nowMs = systemClock.monotonicMs();
    this.#pending = textOf(nowMs - this.#startMs);
    if (nowMs - this.#shownMs < (this.#isTerminal ? REPAINT_MS : NEW_LINE_MS)) return;
    this.#shownMs = nowMs;
    await this.#write(this.#isTerminal ? '' : '\n');
  }

  /** Shows what was kept and ends the line. */
  async end(): Promise<void> {
    if (this.#pending !== undefined) await this.#write('\n');
    else if (this.#isTerminal && Number.isFinite(this.#shownMs)) await write(this.#io.stderr, '\n');
  }

  get #isTerminal(): boolean {
    return this.#io.stderr.isTTY === true;
  }

  async #write(end: string): Promise<void> {
    const text = this.#pending ?? '';
    this.#pending = undefined;
    await write(this.#io.stderr, this.#isTerminal ? `\r${text}\u001b[K${end}` : `${text}${end}`);
  }
}

const REPAINT_MS = 100;
const NEW_LINE_MS = 1000;

/** One cumulative line about lines sent, without its end. */
export function progressText(done: Done, elapsedMs: number): string {
  const seconds = Math.max(elapsedMs, 0.001) / 1000;
  const elapsed = durationText(elapsedMs);
  const requests = `${done.requests} request${done.requests === 1 ? '' : 's'} (${(done.requests / seconds).toFixed(2)} requests/sec)`;
  const lines = `${done.lines} lines (${Math.round(done.lines / seconds)} lines/s)`;
  const bytes = `${formatBytes(done.bytes)} (${formatBytes(done.bytes / seconds)}/s)`;
  return `  ${elapsed}: ${requests}, ${lines}, ${bytes}${shareText(done.share, elapsedMs)}`;
}

/** `, 42%, 1m 3s left`; empty when the share is not known. */
export function shareText(share: number | undefined, elapsedMs: number): string {
  if (share === undefined) return '';
  const percent = `, ${Math.floor(share * 100)}%`;
  if (share <= 0 || share >= 1) return percent;
  const leftMs = (elapsedMs / share) * (1 - share);
  return `${percent}, ${durationText(Math.ceil(leftMs / 1000) * 1000)} left`;
}

/** Bytes in units of 1024, with two decimals above the bytes. */
export function formatBytes(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (bytes < 1024) return `${Math.floor(bytes)}B`;
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${value.toFixed(2)}${units[unit] ?? 'KiB'}`;
}

function durationText(ms: number): string {
  return formatDurationNs(BigInt(Math.floor(ms)) * 1_000_000n);
}
