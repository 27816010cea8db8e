import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { osReason, type ToolingConfig } from '../../config/index.ts';
import { StartupError } from '../../shared/startup-error.ts';

export interface ReadyFiles {
  /** Writes what was asked for. Throws `StartupError`. */
  ready(info: { readonly address: string; readonly url: string }): void;
  /** Removes the ready file; the address file stays, as in the reference. */
  remove(): void;
}

/** `--tcp-listener-file-path` and `--ready-file`. */
export function announceFiles(tooling: ToolingConfig): ReadyFiles {
  return {
    ready(info) {
      // The address file comes last: who has seen it finds the other one too.
      if (tooling.readyFile !== undefined) writeReadyFile(tooling.readyFile, `${info.url}\n`);
      try {
        if (tooling.tcpListenerFile !== undefined) writeNewFile(tooling.tcpListenerFile, info.address);
      } catch (error) {
        this.remove();
        throw error;
      }
    },
    remove() {
      if (tooling.readyFile !== undefined) rmSync(tooling.readyFile, { force: true });
    },
  };
}

/** The file must be new: two servers that write one file would mislead whoever reads it. */
function writeNewFile(path: string, content: string): void {
  try {
    // Whoever waits for the name must find the content: a link shows the finished file, and only if the name is free.
    const unfinished = `${path}.${process.pid}.tmp`;
    writeFileSync(unfinished, content);
    try {
      linkSync(unfinished, path);
    } finally {
      rmSync(unfinished, { force: true });
    }
  } catch (error) {
    throw new StartupError(`Server error: io error: ${osReason(error)}`, { cause: error });
  }
}

function writeReadyFile(path: string, content: string): void {
  try {
    const unfinished = `${path}.${process.pid}.tmp`;
    writeFileSync(unfinished, content);
    renameSync(unfinished, path);
  } catch (error) {
    throw new StartupError(`cannot write the ready file "${path}": ${osReason(error)}`, { cause: error });
  }
}
