import type { Writable } from 'node:stream';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { systemClock } from '../../shared/clock.ts';
import { formatDurationNs } from '../../shared/duration.ts';
import { write } from '../io.ts';
import type { ApiClient } from './api-client.ts';

export interface SendOptions {
  readonly database: string;
  readonly precision: string | undefined;
  readonly acceptPartial: boolean;
  readonly noSync: boolean;
  readonly gzip: boolean;
  readonly requestBytesMax: number;
  readonly requestsMax: number;
  /** Where progress lines go; undefined = nowhere. */
  readonly progress: Writable | undefined;
}

interface Totals {
  requests: number;
  lines: number;
  bytes: number;
}

const newline = 0x0a;
const zip = promisify(gzip);

/** Sends the input in requests that end at line ends, several at once. The first failure ends it. */
export async function sendLines(client: ApiClient, input: AsyncIterable<Uint8Array>, options: SendOptions): Promise<void> {
  const startMs = systemClock.monotonicMs();
  const totals: Totals = { requests: 0, lines: 0, bytes: 0 };
  const active = new Set<Promise<void>>();
  const send = async (body: Uint8Array): Promise<void> => {
    await postLines(client, body, options);
    totals.requests += 1;
    totals.lines += countLines(body);
    totals.bytes += body.length;
    if (options.progress !== undefined) await write(options.progress, progressLine(totals, systemClock.monotonicMs() - startMs));
  };
  for await (const body of cutAtLines(input, options.requestBytesMax)) {
    const request = send(body).finally(() => active.delete(request));
    // The failure is seen by the race or by the final wait; without this the process would call it unhandled.
    request.catch(() => {});
    active.add(request);
    if (active.size >= options.requestsMax) await Promise.race(active);
  }
  await Promise.all(active);
}

/** Cuts a byte stream at newlines into pieces of at most `bytesMax`; a longer single line stays whole. */
export async function* cutAtLines(input: AsyncIterable<Uint8Array>, bytesMax: number): AsyncIterable<Uint8Array> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of input) {
    pending.push(chunk);
    size += chunk.length;
    if (size <= bytesMax) continue;
    let rest: Buffer = Buffer.concat(pending);
    for (let end = cutPosition(rest, bytesMax); end > 0 && rest.length > bytesMax; end = cutPosition(rest, bytesMax)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end);
    }
    pending = [rest];
    size = rest.length;
  }
  if (size > 0) yield Buffer.concat(pending);
}

/** Byte after the newline to cut at, or 0 when the line does not end yet. */
function cutPosition(bytes: Buffer, bytesMax: number): number {
  const before = bytes.lastIndexOf(newline, bytesMax - 1);
  return (before === -1 ? bytes.indexOf(newline, bytesMax) : before) + 1;
}

async function postLines(client: ApiClient, body: Uint8Array, options: SendOptions): Promise<void> {
  await client.fetch({
    method: 'POST',
    path: '/api/v3/write_lp',
    query: {
      db: options.database,
      precision: options.precision,
      accept_partial: options.acceptPartial ? 'true' : undefined,
      no_sync: options.noSync ? 'true' : undefined,
    },
    body: options.gzip ? await zip(body) : body,
    ...(options.gzip ? { headers: { 'content-encoding': 'gzip' } } : undefined),
  });
}

/** Newlines, and one more for an unterminated last line. */
export function countLines(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let lines = buffer.length > 0 && buffer[buffer.length - 1] !== newline ? 1 : 0;
  for (let at = buffer.indexOf(newline); at !== -1; at = buffer.indexOf(newline, at + 1)) lines += 1;
  return lines;
}

/** One cumulative line after a finished request. */
export function progressLine(totals: Readonly<Totals>, elapsedMs: number): string {
  const seconds = Math.max(elapsedMs, 0.001) / 1000;
  const elapsed = formatDurationNs(BigInt(Math.floor(elapsedMs)) * 1_000_000n);
  const requests = `${totals.requests} request${totals.requests === 1 ? '' : 's'} (${(totals.requests / seconds).toFixed(2)} requests/sec)`;
  const lines = `${totals.lines} lines (${Math.round(totals.lines / seconds)} lines/s)`;
  return `  ${elapsed}: ${requests}, ${lines}, ${formatBytes(totals.bytes)} (${formatBytes(totals.bytes / seconds)}/s)\n`;
}

function formatBytes(bytes: number): string {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (bytes < 1024) return `${Math.floor(bytes)}B`;
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${value.toFixed(2)}${units[unit] ?? 'KiB'}`;
}
