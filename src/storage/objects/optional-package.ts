import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StartupError } from '../../shared/startup-error.ts';
import { systemErrorCode } from '../errors.ts';

/**
 * Loads a package that is only needed for some stores: beside this program, or else from the `node_modules` of the working
 * directory. Throws `StartupError` with the line that installs it.
 *
 * @param neededBy the options that make it necessary
 */
export async function optionalPackage(name: string, version: string, neededBy: string): Promise<unknown> {
  try {
    return await import(name);
  } catch (error) {
    if (systemErrorCode(error) !== 'ERR_MODULE_NOT_FOUND') throw error;
  }
  try {
    const path = createRequire(join(process.cwd(), 'here.js')).resolve(name);
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== 'MODULE_NOT_FOUND' && code !== 'ERR_MODULE_NOT_FOUND') throw error;
    const message = `${neededBy} needs a package that is not installed; install it with: npm install ${name}@${version}`;
    throw new StartupError(message, { cause: error });
  }
}
