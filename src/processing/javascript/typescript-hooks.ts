// Module hooks of worker threads whose Node.js does not load TypeScript by itself; `node:module` runs them in a thread of their own.
import { readFile } from 'node:fs/promises';
import type { LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isTypescript, stripTypes } from './typescript.ts';

/** Loads TypeScript files as modules without their types; leaves everything else to Node.js. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const { protocol, pathname } = new URL(url);
  if (protocol !== 'file:' || !isTypescript(pathname)) return nextLoad(url, context);
  const file = fileURLToPath(url);
  return { format: 'module', source: await stripTypes(await readFile(file, 'utf8'), file), shortCircuit: true };
};
