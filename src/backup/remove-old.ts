import { inParallel } from '../shared/in-parallel.ts';
import type { Timers } from '../shared/timers.ts';
import { createdHere } from './backup-run.ts';
import { type BackupManifest, contentKey, encodeSealed, type GivenUp } from './manifest.ts';
import type { BackupPlace } from './place.ts';
import { BackupRepository, MANIFESTS, manifestKey, READS_AT_ONCE } from './repository.ts';
import { unfinishedBackups } from './unfinished.ts';

/** A backup in a bucket that was not heard of for so long is taken for interrupted, ms by the clock of the store. */
const SILENT_MS_MAX = 300_000;

/** Looks at what is used, when backups end meanwhile. */
const ATTEMPTS_MAX = 3;

const GIVEN_UP: GivenUp = { version: 2, givenUp: true };

export interface RemoveOldOptions {
  /** Only backups of this node and catalog are removed. */
  readonly nodeId: string;
  readonly catalogUuid: string;
  /** How many of them stay, the newest. */
  readonly keep: number;
  /** Nobody else writes to the place: what has not ended never will. */
  readonly alone: boolean;
  readonly timers: Timers;
}

export interface RemovedBackups {
  readonly names: readonly string[];
  /** Contents that no backup had any more. */
  readonly files: number;
  readonly bytes: number;
  /** Backups that may need such contents, which therefore stayed. */
  readonly waitsFor: readonly string[];
}

/**
 * Removes all but the newest backups of a node, and contents that no backup has or will have. Safe beside running backups,
 * and beside others that remove: a content goes only when no manifest has it and nobody may be about to use it. Whoever uses a
 * content found it in a manifest, or in what an interrupted backup left, after announcing itself; so when nobody was announced
 * before and after the manifests were read, and no manifest came meanwhile, nobody will ever use the others: keys are not used again.
 * Throws `BackupError` when a manifest cannot be read; then nothing is removed.
 */
export async function removeOldBackups(place: BackupPlace, options: RemoveOldOptions): Promise<RemovedBackups> {
  const repository = new BackupRepository(place);
  const manifests: Manifests = new Map();
  await readNew(repository, manifests);
  const ours = [...manifests.values()].filter((manifest) => !('givenUp' in manifest) && isOf(manifest, options)) as BackupManifest[];
  const names = ours
    .map(({ name }) => name)
    .sort()
    .slice(0, Math.max(0, ours.length - options.keep));
  await place.objects.delete(names.map(manifestKey));
  for (const name of names) manifests.delete(name);
  await giveUpInterrupted(place, manifests, options);
  let waitsFor: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS_MAX && waitsFor.length === 0; attempt++) {
    const contents = await repository.contents();
    waitsFor = await running(place);
    if (waitsFor.length > 0) break;
    await readNew(repository, manifests);
    waitsFor = await running(place);
    if (waitsFor.length > 0 || (await readNew(repository, manifests))) continue;
    const unused = unusedOf(contents, manifests);
    await place.objects.delete(unused.map(([key]) => key));
    return { names, files: unused.length, bytes: unused.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0), waitsFor: [] };
  }
  return { names, files: 0, bytes: 0, waitsFor };
}

type Manifests = Map<string, BackupManifest | GivenUp>;

function isOf(manifest: BackupManifest, { catalogUuid, nodeId }: RemoveOldOptions): boolean {
  return manifest.catalogUuid === catalogUuid && manifest.nodeId === nodeId;
}

/** Reads manifests that are not known yet; true = there were some. What went meanwhile stays known, and what it uses stays. */
async function readNew(repository: BackupRepository, known: Manifests): Promise<boolean> {
  const names = (await repository.names()).filter((name) => !known.has(name));
  await inParallel(names, READS_AT_ONCE, async (name) => {
    const manifest = await repository.read(name);
    if (manifest !== undefined) known.set(name, manifest);
  });
  return names.length > 0;
}

/** Takes care that interrupted backups can never end, and forgets them. */
async function giveUpInterrupted(place: BackupPlace, manifests: Manifests, { alone, timers }: RemoveOldOptions): Promise<void> {
  let nowMs = 0; // by the clock of the store: the backup that has just ended is its latest
  for await (const { modifiedMs } of place.entries(MANIFESTS)) nowMs = Math.max(nowMs, modifiedMs ?? 0);
  for (const { heardMs, keys, name } of await unfinishedBackups(place)) {
    if (!manifests.has(name)) {
      if (!alone && nowMs - heardMs <= SILENT_MS_MAX) continue;
      await createdHere(place, manifestKey(name), encodeSealed(GIVEN_UP), timers); // or it has ended just now
    }
    await place.objects.delete(keys);
  }
}

async function running(place: BackupPlace): Promise<string[]> {
  return (await unfinishedBackups(place)).map(({ name }) => name);
}

function unusedOf(contents: ReadonlyMap<string, number>, manifests: Manifests): (readonly [string, number])[] {
  const used = new Set<string>();
  for (const manifest of manifests.values()) {
    if (!('givenUp' in manifest)) for (const file of manifest.files) used.add(contentKey(file));
  }
  return [...contents].filter(([key]) => !used.has(key));
}
