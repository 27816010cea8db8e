import type { CliIo } from '../io.ts';
import type { ApiClient } from './api-client.ts';
import { CommandFailure } from './failure.ts';
import type { MeasuredInput } from './input.ts';
import { ProgressLine, progressText } from './progress.ts';
import type { SendFailure, SendOptions, SentLines } from './send-lines.ts';

/**
 * Sends an input with progress on standard error. Throws `CommandFailure` with the numbers of the bad lines in the input, or
 * with the lines that a failed request was about, and in both cases with what was stored.
 */
export async function writeLines(
  client: ApiClient,
  input: MeasuredInput,
  io: CliIo,
  options: Omit<SendOptions, 'onProgress' | 'onSettled'> & { readonly quiet: boolean },
): Promise<SentLines> {
  const module = await import('./send-lines.ts');
  const { cutAtLines } = await import('./cut-lines.ts');
  const progress = options.quiet ? undefined : new ProgressLine(io);
  const onProgress = async (sent: SentLines): Promise<void> =>
    progress?.show((elapsedMs) => progressText({ ...sent, share: share(input, sent) }, elapsedMs));
  try {
    const sent = await module.sendLines(client, cutAtLines(input.bytes, options.requestBytesMax), { ...options, onProgress });
    await progress?.end();
    if (sent.bad.count > 0) throw linesRefused(sent, options.goOn);
    return sent;
  } catch (error) {
    await progress?.end();
    throw error instanceof module.SendFailure ? requestFailed(error) : error;
  }
}

/** An input of one request needs no percent. */
function share({ total, zipped, read }: MeasuredInput, sent: SentLines): number | undefined {
  if (total === undefined || total === 0) return undefined;
  const done = (zipped() ? read() : sent.bytes) / total;
  return done === 1 && sent.requests === 1 ? undefined : Math.min(done, 1);
}

function linesRefused(sent: SentLines, goOn: boolean): CommandFailure {
  const { count } = sent.bad;
  const rows = [
    `${count} of ${sent.rowsStored + count} rows ${count === 1 ? 'was' : 'were'} not stored`,
    ...sent.bad.rows(),
    `  stored: ${sent.rowsStored} rows of lines 1 to ${sent.lastLine}`,
  ];
  const again = 'mend these lines and write them again; writing the others again changes nothing';
  const hint = goOn ? again : `${again}; --accept-partial goes on behind bad lines`;
  return new CommandFailure(rows.join('\n'), { hint });
}

function requestFailed({ cause, piece, sent }: SendFailure): CommandFailure {
  if (!(cause instanceof CommandFailure)) throw cause;
  const last = piece.firstLine + piece.lineCount - 1;
  if (sent.requests === 0 && piece.firstLine === 1 && sent.lastLine === last) return cause;
  const rows = [
    cause.message,
    `  the request had lines ${piece.firstLine} to ${last}; stored so far: ${sent.rowsStored} rows in ${sent.requests} requests`,
  ];
  return new CommandFailure(rows.join('\n'), { hint: cause.hint, cause });
}
