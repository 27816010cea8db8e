import { COPY_MARK_KEY, ObjectStoreError } from '../storage/index.ts';
import { NodeDataError } from './errors.ts';
import type { NodePlace } from './node-place.ts';
import { isPassing, kindOf } from './object-kinds.ts';
import { readNode } from './read-node.ts';

interface CopyMark {
  readonly version: 1;
  readonly catalogUuid: string;
  /** For people. */
  readonly source: string;
}

/**
 * Puts a mark into a place that is empty, by which servers and other copies know that it holds a part of a node. One of the same
 * node is taken over. Throws `NodeDataError` when the place holds anything else.
 */
export async function claimTarget(target: NodePlace, catalogUuid: string, source: string): Promise<void> {
  const mark: CopyMark = { version: 1, catalogUuid, source };
  for (;;) {
    const found = await readMark(target);
    if (found?.catalogUuid === catalogUuid) return;
    if (found !== undefined) {
      throw new NodeDataError(`${target.text} holds a part of another node, copied from ${found.source}`, {
        hint: 'choose another target, or remove what is there',
      });
    }
    await refuseData(target, catalogUuid);
    try {
      await target.objects.put(COPY_MARK_KEY, Buffer.from(JSON.stringify(mark)), 'create');
      return;
    } catch (error) {
      if (!(error instanceof ObjectStoreError && error.code === 'EXISTS')) throw error;
    }
  }
}

async function refuseData(target: NodePlace, catalogUuid: string): Promise<void> {
  for await (const entry of target.entries()) {
    if (isPassing(kindOf(entry))) continue;
    const other = await readNode(target);
    const whose =
      other === undefined ? 'data without a catalog' : other.catalogUuid === catalogUuid ? 'this node already' : 'data of another node';
    throw new NodeDataError(`${target.text} holds ${whose}`, { hint: 'choose another target, or remove what is there' });
  }
}

async function readMark({ objects }: NodePlace): Promise<CopyMark | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await objects.get(COPY_MARK_KEY);
  } catch (error) {
    if (error instanceof ObjectStoreError && error.code === 'NOT_FOUND') return undefined;
    throw error;
  }
  try {
    const { catalogUuid, source, version } = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<CopyMark>;
    if (version === 1 && typeof catalogUuid === 'string') return { version, catalogUuid, source: String(source) };
  } catch {
    // below
  }
  throw new NodeDataError(`${objects.locate(COPY_MARK_KEY)} is damaged`, { hint: 'remove what is there, and copy again' });
}
