import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { inParallel } from '../shared/in-parallel.ts';
import {
  acquireNodeLock,
  COPY_MARK_KEY,
  makeSpoolDirectory,
  type NodeLock,
  nodeFileSystem,
  type ObjectEntry,
  ObjectStoreError,
  StorageStartupError,
} from '../storage/index.ts';
import { claimTarget } from './copy-target.ts';
import { NodeDataError } from './errors.ts';
import type { NodePlace } from './node-place.ts';
import { isPassing, kindOf } from './object-kinds.ts';
import type { NodeFacts } from './read-node.ts';
import { type NodeSurvey, surveyNode } from './survey.ts';
import { checksumOf, type OnBytes, Transfer } from './transfer.ts';

/** How far a copy is. Bytes are those that must be read and written, and read again. */
export interface CopyProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneObjects: number;
  readonly totalObjects: number;
}

/** What a copy did. */
export interface CopiedNode {
  readonly objects: number;
  readonly bytes: number;
  /** Of an earlier copy that did not end. */
  readonly alreadyThere: number;
  /** Live Parquet files that the source lacks. */
  readonly missing: readonly string[];
  /** Objects that are none of a node, and were left where they are. */
  readonly leftOut: readonly string[];
}

export interface CopyOptions {
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Ends a server that runs on the source, dead or alive, when that is a bucket. */
  readonly takeOver?: boolean;
}

/** Objects on their way at once. */
const COPIES_AT_ONCE = 12;

/** What is written last: a place without it is no node. */
const CATALOG = 'catalog/';

/**
 * Copies the data of a node to another place, compares every checksum, and makes the target a node as the last step. The source
 * must not be in use, and is not changed, unless it is taken over. One that did not end goes on when it is called again. Throws `NodeDataError` when a
 * server runs on either place, the target holds other data, something is damaged, or the source was changed meanwhile.
 */
export async function copyNode(
  source: NodePlace,
  target: NodePlace,
  { onProgress = () => undefined, takeOver = false }: CopyOptions = {},
): Promise<CopiedNode> {
  const locks: NodeLock[] = [];
  const spool = await makeSpoolDirectory('copy');
  try {
    const survey = await surveyedSource(source, locks, takeOver);
    const { catalogUuid } = survey.facts;
    await lock(target, locks, 'target');
    await claimTarget(target, catalogUuid, source.text);
    const copied = await new Copy(source, target, survey, new Transfer(source, target, spool), onProgress).run();
    await target.objects.delete([COPY_MARK_KEY]);
    return copied;
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    throw new NodeDataError(error.message, { hint: 'run the copy again when that is mended: it goes on where it was', cause: error });
  } finally {
    await rm(spool, { recursive: true, force: true });
    for (const held of locks) await held.release();
  }
}

type SourceSurvey = NodeSurvey & { readonly facts: NodeFacts };

async function surveyedSource(source: NodePlace, locks: NodeLock[], takeOver: boolean): Promise<SourceSurvey> {
  const survey = await surveyNode(source, { nowMs: 0, garbageAgeMs: Number.POSITIVE_INFINITY });
  const { facts } = survey;
  if (facts === undefined) throw new NodeDataError(`${source.text} holds no node`, { hint: 'check --node-id and the store' });
  if (survey.entries.some(({ key }) => key === COPY_MARK_KEY))
    throw new NodeDataError(`${source.text} holds a part of a node: a copy to there has not ended`, { hint: 'end that one first' });
  if (source.directory !== undefined) {
    await lock(source, locks, 'source');
    const again = await surveyNode(source, { nowMs: 0, garbageAgeMs: Number.POSITIVE_INFINITY });
    return { ...again, facts: again.facts ?? facts };
  }
  if (facts.node?.state === 'running') {
    if (takeOver && source.bucket !== undefined) {
      const { takeOverNode } = await import('./take-over.ts'); // it loads more than the rest
      await takeOverNode(source.bucket, facts.node);
      return surveyedSource(source, locks, false);
    }
    const hint = 'stop it; if its process is gone for good, or shall end, give --take-over';
    throw new NodeDataError(`node ${source.nodeId} in ${source.text} runs, or was killed`, { hint });
  }
  return { ...survey, facts };
}

/** A directory is locked as a server does; in a bucket others are told by what they change. */
async function lock({ directory, text }: NodePlace, locks: NodeLock[], which: 'source' | 'target'): Promise<void> {
  if (directory === undefined) return;
  try {
    if (which === 'target') {
      await nodeFileSystem.mkdir(directory);
      await nodeFileSystem.syncDirectory(dirname(directory));
    }
    locks.push(await acquireNodeLock(directory));
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof StorageStartupError)) throw new NodeDataError(`${text} cannot be used: ${message}`, { cause: error });
    throw new NodeDataError(`a server runs on the ${which}: ${message.split(';')[0]}`, { hint: 'stop it first', cause: error });
  }
}

/** One copy on its way. */
class Copy {
  readonly #source: NodePlace;
  readonly #target: NodePlace;
  readonly #survey: SourceSurvey;
  readonly #transfer: Transfer;
  readonly #onProgress: (progress: CopyProgress) => void;
  readonly #there = new Map<string, number>();
  #alreadyThere = 0;
  #doneBytes = 0;
  #totalBytes = 0;
  #doneObjects = 0;
  #totalObjects = 0;

  constructor(
    source: NodePlace,
    target: NodePlace,
    survey: SourceSurvey,
    transfer: Transfer,
    onProgress: (progress: CopyProgress) => void,
  ) {
    this.#source = source;
    this.#target = target;
    this.#survey = survey;
    this.#transfer = transfer;
    this.#onProgress = onProgress;
  }

  async run(): Promise<CopiedNode> {
    const { entries, missing } = this.#survey;
    const chosen = entries.filter((entry) => this.#isCopied(entry));
    for await (const { key, sizeBytes } of this.#target.entries()) this.#there.set(key, sizeBytes);
    await this.#removeStale(new Set(chosen.map(({ key }) => key)));
    const bytes = chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    this.#totalBytes = 2 * bytes; // read once, and what was written once more
    this.#totalObjects = chosen.length;
    const isLast = ({ key }: ObjectEntry): boolean => key.startsWith(CATALOG);
    await this.#copyAll(chosen.filter((entry) => !isLast(entry)));
    await this.#compareSource();
    await this.#copyAll(chosen.filter(isLast));
    const leftOut = entries.filter((entry) => kindOf(entry) === 'other').map(({ key }) => key);
    return { objects: chosen.length, bytes, alreadyThere: this.#alreadyThere, missing, leftOut };
  }

  /** Without what a server would remove, or make anew. */
  #isCopied(entry: ObjectEntry): boolean {
    const { facts } = this.#survey;
    switch (kindOf(entry)) {
      case 'parquet':
        return facts.doubt !== undefined || facts.files.has(entry.key);
      case 'index':
        return entry.key !== 'files/pending';
      case 'telemetry':
        return entry.key === 'telemetry/settings.json' || this.#target.directory !== undefined;
      case 'catalog':
      case 'wal':
      case 'wal claim':
      case 'side log':
      case 'snapshot info':
      case 'corrupt':
        return true;
      case 'probe':
      case 'copy mark':
      case 'temporary':
      case 'other':
        return false;
    }
  }

  /** What an earlier copy brought here and the source has no more. */
  async #removeStale(chosen: ReadonlySet<string>): Promise<void> {
    const stale = [...this.#there].filter(
      ([key, sizeBytes]) => !chosen.has(key) && key !== COPY_MARK_KEY && kindOf({ key, sizeBytes }) !== 'temporary',
    );
    await this.#target.objects.delete(stale.map(([key]) => key));
  }

  #copyAll(entries: readonly ObjectEntry[]): Promise<void> {
    return inParallel(entries, COPIES_AT_ONCE, (entry) => this.#copyOne(entry));
  }

  async #copyOne({ key, sizeBytes }: ObjectEntry): Promise<void> {
    const known = this.#survey.facts.files.get(key);
    if (known !== undefined && known.sizeBytes !== sizeBytes) throw damaged(this.#source, key);
    let counted = 0;
    const onBytes: OnBytes = (count) => {
      const counts = Math.min(count, 2 * sizeBytes - counted);
      counted += counts;
      this.#doneBytes += counts;
      this.#tell();
    };
    if (await this.#isThere(key, sizeBytes, known?.crc32, onBytes)) this.#alreadyThere++;
    else await this.#copyAnew(key, sizeBytes, known?.crc32, onBytes);
    this.#doneBytes += 2 * sizeBytes - counted;
    this.#doneObjects++;
    this.#tell();
  }

  async #copyAnew(key: string, sizeBytes: number, crc: number | undefined, onBytes: OnBytes): Promise<void> {
    const { objects } = this.#target;
    const read = await this.#transfer.copy(key, sizeBytes, onBytes);
    if (crc !== undefined && read !== crc) throw damaged(this.#source, key);
    if ((await checksumOf(objects, key, sizeBytes, onBytes)) !== read) {
      const hint = 'the target does not give back what was written; check its disk or service, then run the copy again';
      throw new NodeDataError(`${objects.locate(key)} has another checksum than what was written there`, { hint });
    }
  }

  /** Whether an earlier copy has brought the very same bytes. */
  async #isThere(key: string, sizeBytes: number, crc: number | undefined, onBytes: OnBytes): Promise<boolean> {
    if (this.#there.get(key) !== sizeBytes) return false;
    const found = await checksumOf(this.#target.objects, key, sizeBytes, onBytes);
    return found === (crc ?? (await checksumOf(this.#source.objects, key, sizeBytes, onBytes)));
  }

  /** A server that started on the source meanwhile has put its claims there at least. */
  async #compareSource(): Promise<void> {
    const before = new Map(this.#survey.entries.map(({ key, sizeBytes }) => [key, sizeBytes]));
    let same = 0;
    for await (const entry of this.#source.entries()) {
      if (isPassing(kindOf(entry))) continue;
      if (before.get(entry.key) !== entry.sizeBytes) throw changedSource(this.#source, entry.key);
      same++;
    }
    const expected = this.#survey.entries.filter((entry) => !isPassing(kindOf(entry))).length;
    if (same !== expected) throw changedSource(this.#source, undefined);
  }

  #tell(): void {
    this.#onProgress({
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      doneObjects: this.#doneObjects,
      totalObjects: this.#totalObjects,
    });
  }
}

function damaged({ objects }: NodePlace, key: string): NodeDataError {
  return new NodeDataError(`${objects.locate(key)} is damaged: it has not the size and checksum that the snapshot infos tell`, {
    hint: 'put the file back from a backup, or delete its rows',
  });
}

function changedSource({ text }: NodePlace, key: string | undefined): NodeDataError {
  const what = key === undefined ? 'objects were removed' : `'${key}' is new or was changed`;
  return new NodeDataError(`${text} was changed during the copy: ${what}`, {
    hint: 'stop the server that runs there, and run the copy again',
  });
}
