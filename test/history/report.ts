import { writerName } from './values.ts';
import type { World } from './world.ts';

/** Numbers of a run, and what led to its fault. */
export function report(world: World, logs: readonly string[]): string {
  const { counts, options, fault } = world;
  const secs = Math.round((Date.now() - world.startedMs) / 1000);
  const found = [
    `seed ${options.seed}, ${secs} s: ${counts.requests} requests with ${counts.rows} rows, ${counts.kills} lives, ` +
      `${counts.questions} questions, ${counts.rowsVerified} rows and ${counts.cellsVerified} cells compared, ` +
      `${counts.refused} refused, ${counts.doubtful} without an answer`,
  ];
  if (fault === undefined) return found.join('\n');
  found.push(`FAULT after ${secs} s, ${fault.kind}: ${fault.message}`);
  const { block } = fault;
  if (block !== undefined) {
    found.push(
      `  ${block.table.database}.${block.table.name} of ${writerName(block.writer)}, minute ${block.slot}, ${block.rows} rows, row ${fault.row}`,
    );
    for (const { request, kind, number, from, to, fields } of block.operations) {
      found.push(
        `  ${kind} ${number}, rows ${from} to ${to - 1}, fields ${fields.toString(2)}: life ${request.life}, ${request.lane}, ` +
          `${request.outcome} ${request.status}, sent ${new Date(request.startedMs).toISOString()} (tick ${request.startedAt}), ` +
          `answered ${request.answeredMs === 0 ? 'never' : new Date(request.answeredMs).toISOString()} (tick ${request.acknowledgedAt})`,
      );
    }
  }
  for (const { ms, text } of world.events.slice(-30)) found.push(`  ${new Date(ms).toISOString()} ${text}`);
  const log = logs.join('').split('\n');
  found.push(...log.slice(-20).map((line) => `  log: ${line}`));
  return found.join('\n');
}
