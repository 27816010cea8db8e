import { type ObjectEntry, ObjectStoreError } from '../storage/index.ts';
import { NodeDataError } from './errors.ts';
import type { NodePlace } from './node-place.ts';
import { kindOf, OBJECT_KINDS, type ObjectKind } from './object-kinds.ts';
import { type NodeFacts, readNode } from './read-node.ts';

/** Objects of one kind. */
export interface KindSummary {
  readonly kind: ObjectKind;
  readonly objects: number;
  readonly bytes: number;
  /** What a start or a query needs. */
  readonly liveObjects: number;
  readonly liveBytes: number;
  /** What nothing needs, and nobody will need; the rest is kept for a while, or for people. */
  readonly garbageObjects: number;
  readonly garbageBytes: number;
}

/** What a node's place holds. */
export interface NodeSurvey {
  readonly nodeId: string;
  readonly place: string;
  readonly facts: NodeFacts | undefined;
  readonly kinds: readonly KindSummary[];
  /** Old enough to be deleted while a server runs. */
  readonly garbage: readonly ObjectEntry[];
  /** Live Parquet files that are not there: queries that need them fail. */
  readonly missing: readonly string[];
  /** Everything that is there. */
  readonly entries: readonly ObjectEntry[];
}

export interface SurveyOptions {
  /** Now, ms since 1970. */
  readonly nowMs: number;
  /** Younger objects are no garbage, whatever they are. */
  readonly garbageAgeMs: number;
}

/**
 * Lists what a place holds, without changing anything, also beside a running server: it lists first and then reads what is live,
 * so a file that becomes live meanwhile is not taken for garbage. Throws `NodeDataError`.
 */
export async function surveyNode(place: NodePlace, options: SurveyOptions): Promise<NodeSurvey> {
  const entries = await listed(place);
  const facts = await readNode(place);
  const byKind = new Map<ObjectKind, ObjectEntry[]>(OBJECT_KINDS.map((kind) => [kind, []]));
  for (const entry of entries) byKind.get(kindOf(entry))?.push(entry);
  const garbage = entries.filter((entry) => isGarbage(entry, facts) && isOld(entry, options));
  const marked = new Set(garbage);
  const kinds = [...byKind]
    .map(([kind, ofKind]) => {
      const live = ofKind.filter((entry) => isLive(entry, kind, facts));
      const dead = ofKind.filter((entry) => marked.has(entry));
      return {
        kind,
        ...{ objects: ofKind.length, bytes: bytesOf(ofKind) },
        ...{ liveObjects: live.length, liveBytes: bytesOf(live), garbageObjects: dead.length, garbageBytes: bytesOf(dead) },
      };
    })
    .filter(({ objects }) => objects > 0);
  const missing = facts === undefined ? [] : await missingFiles(place, entries, facts);
  return { nodeId: place.nodeId, place: place.text, facts, kinds, garbage, missing, entries };
}

/** Deletes garbage of a survey. Throws `NodeDataError` when the survey cannot tell garbage for certain. */
export async function removeGarbage(place: NodePlace, survey: NodeSurvey): Promise<void> {
  const doubt = garbageDoubt(survey);
  if (doubt !== undefined) throw new NodeDataError(`nothing is deleted: ${doubt}`);
  try {
    await place.objects.delete(survey.garbage.map(({ key }) => key));
  } catch (error) {
    throw new NodeDataError(`not all garbage was deleted: ${(error as Error).message}`, { hint: 'run it again', cause: error });
  }
}

/** Why nothing of the place may be deleted; undefined = garbage is garbage. */
export function garbageDoubt({ facts, place }: NodeSurvey): string | undefined {
  if (facts === undefined) return `${place} has no catalog, so nobody can tell what is live`;
  return facts.doubt === undefined ? undefined : `${facts.doubt}, so the list of live files may not be whole`;
}

async function listed(place: NodePlace): Promise<ObjectEntry[]> {
  const entries: ObjectEntry[] = [];
  try {
    for await (const entry of place.entries()) entries.push(entry);
  } catch (error) {
    throw new NodeDataError(`${place.text} cannot be listed: ${(error as Error).message}`, { cause: error });
  }
  return entries;
}

/** Of Parquet files and probes only: the server looks after everything else by itself. */
function isGarbage(entry: ObjectEntry, facts: NodeFacts | undefined): boolean {
  const kind = kindOf(entry);
  if (kind === 'probe') return true;
  return kind === 'parquet' && facts !== undefined && !facts.files.has(entry.key) && !facts.pending.has(entry.key);
}

function isOld({ modifiedMs }: ObjectEntry, { garbageAgeMs, nowMs }: SurveyOptions): boolean {
  return modifiedMs !== undefined && nowMs - modifiedMs >= garbageAgeMs;
}

function isLive({ key }: ObjectEntry, kind: ObjectKind, facts: NodeFacts | undefined): boolean {
  switch (kind) {
    case 'parquet':
      return facts?.files.has(key) === true;
    case 'wal':
      return Number(/(\d+)\.wal$/.exec(key)?.[1]) > (facts?.state.walFileNumber ?? 0);
    case 'side log':
      return facts?.state.tablesAside.some(({ files }) => files.some((name) => key === `aside/${name}`)) === true;
    case 'catalog':
    case 'wal claim':
    case 'snapshot info':
    case 'index':
    case 'telemetry':
      return true;
    case 'probe':
    case 'copy mark':
    case 'corrupt':
    case 'temporary':
    case 'other':
      return false;
  }
}

/** Live files that were not listed, are not there when looked for, and are still live afterwards. */
async function missingFiles(place: NodePlace, entries: readonly ObjectEntry[], facts: NodeFacts): Promise<string[]> {
  const there = new Set(entries.map(({ key }) => key));
  const absent: string[] = [];
  for (const path of facts.files.keys()) if (!there.has(path) && !(await exists(place, path))) absent.push(path);
  if (absent.length === 0) return [];
  const again = await readNode(place);
  return absent.filter((path) => again?.files.has(path) === true);
}

async function exists({ objects }: NodePlace, key: string): Promise<boolean> {
  try {
    await objects.head(key);
    return true;
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

function bytesOf(entries: readonly ObjectEntry[]): number {
  return entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
