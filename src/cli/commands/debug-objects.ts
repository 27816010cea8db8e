import { valueTypes } from '../../config/index.ts';
import type { NodePlace, NodeSurvey } from '../../node-data/index.ts';
import { systemClock } from '../../shared/clock.ts';
import { clientCommand } from '../client/client-command.ts';
import { CommandFailure } from '../client/failure.ts';
import { formatBytes } from '../client/progress.ts';
import { openPlace, placeOptions, withNodeDataFailures } from '../client/store-place.ts';
import { defaulted, flag, type LeafModel } from '../command-model.ts';
import { type CliIo, print } from '../io.ts';

/** Younger objects may belong to something that is under way. */
const AGE_MIN_MS = 3_600_000;

/** Lines of names before the rest is counted. */
const NAMES_SHOWN_MAX = 20;

const ownOptions = {
  format: defaulted('pretty', {
    flag: 'format',
    type: valueTypes.oneOf(['pretty', 'json'] as const),
    help: 'How the result is printed',
  }),
  clean: flag({ flag: 'clean', help: 'Show the garbage that could be deleted; deletes nothing without --yes' }),
  yes: flag({ flag: 'yes', help: 'With --clean: delete it' }),
  olderThan: defaulted('1d', {
    flag: 'older-than',
    type: valueTypes.durationMs,
    help: 'Garbage is only what is at least this old; an hour at least',
  }),
};

/** `debug objects`: what a bucket or a data directory holds for a node. */
export function debugObjectsCommand(): LeafModel {
  return clientCommand('Debug', {
    name: 'objects',
    about: 'List what a bucket or a data directory holds for a node, also beside its running server; find and delete garbage',
    options: { ...placeOptions(), ...ownOptions },
    run: ({ io, typed, values }) =>
      withNodeDataFailures(async () => {
        const { clean, format, olderThan, yes } = values as { clean: boolean; format: 'pretty' | 'json'; olderThan: number; yes: boolean };
        if (yes && !clean) throw new CommandFailure('--yes goes with --clean');
        if (olderThan < AGE_MIN_MS) {
          throw new CommandFailure('--older-than must be an hour at least', {
            hint: 'younger objects may belong to something that a server is doing just now',
          });
        }
        const place = await openPlace(io, typed);
        try {
          return await debugObjects(place, { io, typed, clean, format, olderThan, yes });
        } finally {
          place.close();
        }
      }),
  });
}

interface DebugObjectsCall {
  readonly io: CliIo;
  readonly typed: Parameters<typeof openPlace>[1];
  readonly clean: boolean;
  readonly format: 'pretty' | 'json';
  readonly olderThan: number;
  readonly yes: boolean;
}

async function debugObjects(place: NodePlace, { clean, format, io, olderThan, yes }: DebugObjectsCall): Promise<number> {
  const { garbageDoubt, removeGarbage, surveyNode } = await import('../../node-data/index.ts');
  const survey = await surveyNode(place, { nowMs: systemClock.nowMs(), garbageAgeMs: olderThan });
  if (survey.entries.length === 0) throw new CommandFailure(`${survey.place} holds nothing`, { hint: 'check --node-id and the store' });
  const doubt = garbageDoubt(survey);
  if (clean && yes) await removeGarbage(place, survey);
  const deleted = clean && yes ? survey.garbage.length : 0;
  if (format === 'json') await print(io, JSON.stringify(reportOf(survey, doubt, deleted)));
  else for (const line of [...tableOf(survey), ...remarksOf(survey, doubt, { clean, deleted })]) await print(io, line);
  return survey.missing.length > 0 ? 1 : 0;
}

function reportOf({ facts, garbage, kinds, missing, nodeId, place }: NodeSurvey, doubt: string | undefined, deleted: number): unknown {
  const { catalogUuid, node, state } = facts ?? {};
  return {
    node_id: nodeId,
    place,
    catalog_uuid: catalogUuid ?? null,
    node_state: node?.state ?? null,
    node_state_since: node === undefined ? null : new Date(node.updatedAtMs).toISOString(),
    wal_covered_up_to: state?.walFileNumber ?? null,
    kinds: kinds.map(({ kind, objects, bytes, liveObjects, liveBytes, garbageObjects, garbageBytes }) => ({
      kind,
      ...{ objects, bytes, live_objects: liveObjects, live_bytes: liveBytes },
      ...{ garbage_objects: garbageObjects, garbage_bytes: garbageBytes },
    })),
    garbage: garbage.map(({ key, modifiedMs, sizeBytes }) => ({
      key,
      bytes: sizeBytes,
      modified: modifiedMs === undefined ? null : new Date(modifiedMs).toISOString(),
    })),
    missing,
    doubt: doubt ?? null,
    deleted_objects: deleted,
  };
}

function tableOf({ facts, kinds, nodeId, place }: NodeSurvey): string[] {
  const rows = kinds.map((kind) => [
    kind.kind,
    ...[String(kind.objects), formatBytes(kind.bytes), String(kind.liveObjects), formatBytes(kind.liveBytes)],
    ...[String(kind.garbageObjects), formatBytes(kind.garbageBytes)],
  ]);
  const all = [['kind', 'objects', 'size', 'live', 'size', 'garbage', 'size'], ...rows];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const { node } = facts ?? {};
  const state = node === undefined ? 'no catalog tells of it' : `${node.state} since ${new Date(node.updatedAtMs).toISOString()}`;
  return [
    `Node ${nodeId} in ${place}: ${state}`,
    ...all.map((row) =>
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '),
    ),
  ];
}

function remarksOf(
  { garbage, missing }: NodeSurvey,
  doubt: string | undefined,
  { clean, deleted }: { readonly clean: boolean; readonly deleted: number },
): string[] {
  const lines: string[] = [];
  if (doubt !== undefined) lines.push(`Nothing would be deleted: ${doubt}`);
  if (missing.length > 0) lines.push(`${missing.length} live Parquet files are not there; queries that need them fail:`, ...named(missing));
  const bytes = formatBytes(garbage.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
  if (deleted > 0) lines.push(`Deleted ${deleted} objects, ${bytes}`);
  else if (clean && garbage.length === 0) lines.push('There is no garbage that is old enough');
  else if (clean)
    lines.push(`Would delete ${garbage.length} objects, ${bytes}; add --yes to do it:`, ...named(garbage.map(({ key }) => key)));
  return lines;
}

function named(names: readonly string[]): string[] {
  const shown = names.slice(0, NAMES_SHOWN_MAX).map((name) => `  ${name}`);
  return names.length > NAMES_SHOWN_MAX ? [...shown, `  and ${names.length - NAMES_SHOWN_MAX} more (--format json has all)`] : shown;
}
