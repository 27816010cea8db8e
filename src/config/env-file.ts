import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EnvFileError, parseEnvText } from './env-file-parser.ts';
import type { Environment } from './resolve-options.ts';

/** `environment` with the gaps filled from the nearest `.env` file at or above `folder`. Throws `EnvFileError`. */
export function withEnvFile(environment: Environment, folder: string): Environment {
  const file = findEnvFile(folder);
  if (file === undefined) return environment;
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new EnvFileError(error instanceof Error ? error.message : String(error), error);
  }
  const fromFile = parseEnvText(content, environment);
  return { ...fromFile, ...definedOnly(environment) };
}

/** The first `.env` that is a file, from `folder` up to the root. */
function findEnvFile(folder: string): string | undefined {
  for (let current = folder; ; current = dirname(current)) {
    const candidate = join(current, '.env');
    const stats = statSync(candidate, { throwIfNoEntry: false });
    if (stats !== undefined && !stats.isDirectory()) return candidate;
    if (dirname(current) === current) return undefined;
  }
}

function definedOnly(environment: Environment): Record<string, string> {
  const defined: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) defined[name] = value;
  return defined;
}
