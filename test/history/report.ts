import type { Operation } from './model.ts';
import type { Block } from './tables.ts';
import { fieldName, writerName } from './values.ts';
import type { World } from './world.ts';

const EVENTS_MAX = 40;
const LOG_LINES_MAX = 60;
/** Log lines and events this long before the first operation of the wrong block are told too. */
const BEFORE_MS = 2_000;

interface Moment {
  readonly ms: number;
  readonly text: string;
}

/** Numbers of a run in one line. */
export function summary(world: World): string {
  const { counts, options } = world;
  return (
    `seed ${options.seed}, ${secs(world)} s: ${counts.requests} writes with ${counts.rows} rows (${counts.doubtful} without an answer), ` +
    `${counts.refused} refused, ${counts.rowDeletes} row deletes, ${counts.drops} drops, ${counts.undeletes} undeletes; ` +
    `${counts.lives} lives, ${counts.kills} ended by SIGKILL; ${counts.questions} questions (${counts.uncompared} not compared), ` +
    `${counts.copied} rows copied by a trigger, ${counts.rowsVerified} rows and ${counts.cellsVerified} cells compared`
  );
}

/** Numbers of a run, and what led to its fault. */
export function report(world: World, logs: readonly string[]): string {
  const { fault } = world;
  const found = [summary(world)];
  if (fault === undefined) return found.join('\n');
  found.push(`FAULT after ${secs(world)} s, ${fault.kind}: ${fault.message}`);
  const { block } = fault;
  const lines = logs.flatMap((log) => log.split('\n'));
  if (block === undefined) {
    found.push(...world.events.slice(-EVENTS_MAX).map(momentLine));
    found.push(...lines.slice(-LOG_LINES_MAX).map((line) => `  log: ${line}`));
    return found.join('\n');
  }
  found.push(
    `The history of ${block.table.database.name}.${block.table.name} of ${writerName(block.writer)}, ` +
      `minute ${block.slot} (${new Date(block.slot * 60_000).toISOString()}), ${block.rows} rows, first wrong row ${fault.row}:`,
  );
  found.push(...timeline(world, block, lines).map(momentLine));
  return found.join('\n');
}

function secs(world: World): number {
  return Math.round((Date.now() - world.startedMs) / 1000);
}

function momentLine({ ms, text }: Moment): string {
  return `  ${new Date(ms).toISOString()} ${text}`;
}

/** Operations of the block, lives and kills, and what the server logged, in the order of time. */
function timeline(world: World, block: Block, logLines: readonly string[]): Moment[] {
  const operations = block.operations.flatMap(operationMoments);
  const fromMs = Math.min(...operations.map(({ ms }) => ms)) - BEFORE_MS;
  const events = world.events.filter(({ ms }) => ms >= fromMs).slice(-EVENTS_MAX);
  const log = logLines.flatMap((line): Moment[] => {
    const ms = Date.parse(line.slice(0, 23).concat('Z'));
    return ms >= fromMs ? [{ ms, text: `log: ${line.slice(28)}` }] : [];
  });
  return [...operations, ...events, ...log.slice(-LOG_LINES_MAX)].sort((a, b) => a.ms - b.ms);
}

function operationMoments({ request, kind, number, from, to, fields, sparse, twice }: Operation): Moment[] {
  const names = Array.from({ length: 31 }, (_, field) => field).filter((field) => (fields & (1 << field)) !== 0);
  const what =
    kind === 'delete'
      ? `delete ${number}`
      : `write ${number} of rows ${from} to ${to - 1}, ${names.map(fieldName).join(' ')}${sparse ? ', sparse' : ''}${twice ? ', each row twice' : ''}`;
  const sent = { ms: request.startedMs, text: `${what}: sent in life ${request.life}, ${request.lane}, tick ${request.startedAt}` };
  if (request.answeredMs === 0) return [{ ...sent, text: `${sent.text}, never answered, now ${request.outcome}` }];
  const answered = `${what}: answered ${request.status}, ${request.outcome}, tick ${request.acknowledgedAt}`;
  return [sent, { ms: request.answeredMs, text: answered }];
}
