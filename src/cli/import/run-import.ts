import { type FileHandle, open } from 'node:fs/promises';
import { systemClock } from '../../shared/clock.ts';
import type { ApiClient } from '../client/api-client.ts';
import type { Piece } from '../client/cut-lines.ts';
import { CommandFailure } from '../client/failure.ts';
import { type BadLine, BadLines } from '../client/line-errors.ts';
import { ProgressLine, shareText } from '../client/progress.ts';
import { SendFailure, type SendOptions, type SentLines, sendLines } from '../client/send-lines.ts';
import { type CliIo, print } from '../io.ts';
import type { ImportState } from './state.ts';

/** A source that is ready to be sent. */
export interface OpenSource {
  readonly pieces: AsyncIterable<Piece>;
  /** Share of the source that was sent, 0 to 1; undefined while nobody knows. */
  share(sent: SentLines): number | undefined;
  /** Word for what bad rows are numbered by. */
  readonly unit: 'line' | 'row';
}

export interface ImportOptions
  extends Omit<SendOptions, 'acceptPartial' | 'goOn' | 'onBad' | 'onProgress' | 'onSettled' | 'noSync' | 'gzip'> {
  readonly quiet: boolean;
  /** Gets a line for each row that was not stored. */
  readonly errorsFile: string | undefined;
}

/** Takes rows that cannot be sent; they count as those that the server refuses. */
export type Refuse = (bad: BadLine) => void;

/**
 * Sends a source to its end, going on behind bad rows, and reports. Throws `CommandFailure` when rows were not stored, or a request
 * failed: then the next run of the same command goes on where this one ended.
 */
export async function runImport(
  client: ApiClient,
  openSource: (refuse: Refuse) => Promise<OpenSource>,
  state: ImportState,
  io: CliIo,
  options: ImportOptions,
): Promise<void> {
  const earlier = await state.read();
  const startMs = systemClock.monotonicMs();
  const errors = options.errorsFile === undefined ? undefined : await open(options.errorsFile, earlier === undefined ? 'w' : 'a');
  const refused = new BadLines();
  const waiting: Promise<void>[] = [];
  const note = async (bad: readonly BadLine[], unit: string): Promise<void> => {
    await errors?.write(bad.map(({ line, reason, text }) => `${unit} ${line}\t${reason}\t${text.replaceAll('\n', '\\n')}\n`).join(''));
  };
  const progress = new ProgressLine(io);
  try {
    let unit = 'line';
    const source = await openSource((bad) => {
      refused.add([bad]);
      waiting.push(note([bad], unit));
    });
    unit = source.unit;
    const before = earlier?.rowsStored ?? 0;
    const sent = await sendLines(client, source.pieces, {
      ...options,
      acceptPartial: true,
      goOn: true,
      noSync: false,
      gzip: false,
      onBad: async (bad) => {
        refused.add(bad);
        await note(bad, unit);
      },
      onProgress: async (soFar) => {
        if (!options.quiet)
          await progress.show((elapsedMs) => progressLine(before + soFar.rowsStored, soFar.rowsStored, elapsedMs, source.share(soFar)));
      },
      onSettled: async (piece, soFar) => {
        if (piece.position === undefined) return;
        await state.save({
          position: piece.position,
          rowsStored: before + soFar.rowsStored,
          badRows: (earlier?.badRows ?? 0) + refused.count,
        });
      },
    });
    await progress.end();
    await Promise.all(waiting);
    await report(sent, refused, { before, badBefore: earlier?.badRows ?? 0, startMs, unit, errorsFile: options.errorsFile }, io);
    await state.remove();
    if (refused.count + (earlier?.badRows ?? 0) > 0) throw notAllStored(refused, earlier?.badRows ?? 0, unit, options.errorsFile);
  } catch (error) {
    await progress.end();
    throw error instanceof SendFailure ? interrupted(error, state) : error;
  } finally {
    await closed(errors);
  }
}

interface ReportFacts {
  readonly before: number;
  readonly badBefore: number;
  readonly startMs: number;
  readonly unit: string;
  readonly errorsFile: string | undefined;
}

async function report(sent: SentLines, refused: BadLines, { before, startMs }: ReportFacts, io: CliIo): Promise<void> {
  const seconds = Math.max(0.001, (systemClock.monotonicMs() - startMs) / 1000);
  const rate = Math.round(sent.rowsStored / seconds);
  const whole = before === 0 ? '' : ` (${before + sent.rowsStored} with the runs before)`;
  await print(
    io,
    `Imported ${sent.rowsStored} rows${whole} in ${seconds.toFixed(1)} s, ${rate} rows/s; ${refused.count} rows were not stored`,
  );
}

function progressLine(stored: number, storedNow: number, elapsedMs: number, share: number | undefined): string {
  const rate = Math.round(storedNow / (Math.max(elapsedMs, 1) / 1000));
  return `  ${stored} rows, ${rate} rows/s${shareText(share, elapsedMs)}`;
}

function notAllStored(refused: BadLines, badBefore: number, unit: string, errorsFile: string | undefined): CommandFailure {
  const rows = refused.rows().map((row) => (unit === 'line' ? row : row.replace(/^ {2}line /, '  row ')));
  const all = errorsFile === undefined ? '--errors-file <file> keeps all of them' : `all of them are in ${errorsFile}`;
  return new CommandFailure([`${refused.count + badBefore} rows were not stored`, ...rows].join('\n'), { hint: all });
}

function interrupted({ cause, sent }: SendFailure, state: ImportState): CommandFailure {
  if (!(cause instanceof CommandFailure)) throw cause;
  const next = `the same command goes on where this one ended (${state.path})`;
  return new CommandFailure(`${cause.message}\n  stored so far: ${sent.rowsStored} rows`, {
    hint: cause.hint === undefined ? next : `${cause.hint}; ${next}`,
    cause,
  });
}

async function closed(file: FileHandle | undefined): Promise<void> {
  await file?.close();
}
