import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { osReason, type ToolingConfig } from '../../config/index.ts';
import { writeNewFile } from '../../shared/new-file.ts';
import { StartupError } from '../../shared/startup-error.ts';

export interface ReadyFiles {
  /** Writes what was asked for. Throws `StartupError`. */
  ready(info: { readonly address: string; readonly url: string }): void;
  /** Removes the ready file; the address file stays, as in InfluxDB 3 Core. */
  remove(): void;
}

/** `--tcp-listener-file-path` and `--ready-file`. */
export function announceFiles(tooling: ToolingConfig): ReadyFiles {
  return {
    ready(info) {
      // The address file comes last: who has seen it finds the other one too.
      if (tooling.readyFile !== undefined) writeReadyFile(tooling.readyFile, `${info.url}\n`);
      try {
        if (tooling.tcpListenerFile !== undefined) writeAddressFile(tooling.tcpListenerFile, info.address);
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

function writeAddressFile(path: string, address: string): void {
  try {
    writeNewFile(path, address);
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
