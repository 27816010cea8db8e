import { INTERNAL_DATABASE } from '../../catalog/index.ts';

const BYTES_MAX = 511;

/** What is wrong with a database that a plugin wants to write to or read; undefined = nothing. */
export function databaseNameProblem(name: string): string | undefined {
  const bytes = Buffer.byteLength(name);
  if (bytes < 1 || bytes > BYTES_MAX) return `database name ${name} length must be between 1 and ${BYTES_MAX} characters`;
  const wrong = [...name].findIndex((char) => !/^[A-Za-z0-9/_-]$/.test(char));
  return wrong < 0 ? undefined : `database name '${name}' contains invalid character, character number ${wrong} is not allowed`;
}

/** What is wrong with a database that a plugin wants to write to. */
export function writeTargetProblem(name: string): string | undefined {
  if (name === INTERNAL_DATABASE) return 'cannot modify internal db';
  const problem = databaseNameProblem(name);
  return problem === undefined ? undefined : `invalid database name: ${problem}`;
}
