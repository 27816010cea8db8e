import { StartupError } from '../shared/startup-error.ts';

/** Names of devices; with an ending they still are. */
const DEVICE = /^(?:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:\..*)?$/i;

/** Why Windows has no directory of this name; undefined = it can. */
export function windowsNameProblem(name: string): string | undefined {
  if (DEVICE.test(name)) return 'is the name of a device';
  if (name.includes(':')) return 'has a colon';
  if (/[. ]$/.test(name)) return 'ends with a dot or a blank';
  return undefined;
}

/**
 * On Windows, refuses a node id that would become another name or a device there: `C:x` writes into a hidden stream of a file.
 * Throws `StartupError`.
 */
export function refuseWindowsName(nodeId: string, platform: NodeJS.Platform = process.platform): void {
  const problem = platform === 'win32' ? windowsNameProblem(nodeId) : undefined;
  if (problem !== undefined) {
    throw new StartupError(
      `Serve command failed: node id '${nodeId}' ${problem}, and Windows has no directory of such a name; choose another --node-id`,
    );
  }
}
