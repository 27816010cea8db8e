import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePathPart, encodePathPart } from './path-part.ts';

/**
 * Ids of the nodes that have data in a data directory, except one, sorted. A folder counts when it has a catalog with files in it
 * (docs/data-format.md). A directory that cannot be listed has none.
 */
export async function nodesInDirectory(dataDir: string, exceptNodeId: string): Promise<readonly string[]> {
  const names = (await namesIn(dataDir)).filter((name) => !name.startsWith('.') && name !== encodePathPart(exceptNodeId));
  const withData = await Promise.all(names.map(async (name) => (await namesIn(join(dataDir, name, 'catalog'))).length > 0));
  return names
    .filter((_, index) => withData[index])
    .map(decodePathPart)
    .sort();
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch(() => []);
}
