import { linkSync, rmSync, writeFileSync } from 'node:fs';

/** Writes a file that must be new: two servers that write one file would mislead whoever reads it. */
export function writeNewFile(path: string, content: string): void {
  // Whoever waits for the name must find the content: a link shows the finished file, and only if the name is free.
  const unfinished = `${path}.${process.pid}.tmp`;
  writeFileSync(unfinished, content);
  try {
    linkSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
}
