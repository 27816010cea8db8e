import { hashToken } from '../auth/index.ts';
import type { Catalog } from '../catalog/index.ts';
import { InfluxError } from '../shared/errors.ts';
import { StartupError } from '../shared/startup-error.ts';

/** Name of the operator token. */
const OPERATOR_TOKEN = '_admin';

/** What must be in the catalog before the first request. */
export interface ServerSeed {
  /** Text of the operator token; only its hash is stored. */
  readonly operatorToken?: string | undefined;
  /** Databases that must exist. */
  readonly databases?: readonly string[] | undefined;
}

/** Adds what is missing. Throws `StartupError` for names the catalog refuses and for a token that is not the stored one. */
export async function seedCatalog(catalog: Catalog, seed: ServerSeed): Promise<void> {
  if (seed.operatorToken !== undefined) await seedToken(catalog, hashToken(seed.operatorToken));
  for (const name of new Set(seed.databases)) {
    if (catalog.database(name) !== undefined) continue;
    await catalog.createDatabase(name).catch((error: unknown) => {
      if (!(error instanceof InfluxError)) throw error;
      throw new StartupError(`cannot create database "${name}": ${error.message}`, { cause: error });
    });
  }
}

/** Replacing the stored token would lock out whoever uses it. */
async function seedToken(catalog: Catalog, hash: string): Promise<void> {
  const stored = catalog.tokens().find((token) => token.name === OPERATOR_TOKEN);
  if (stored === undefined) await catalog.createToken({ name: OPERATOR_TOKEN, hash });
  else if (stored.hash !== hash) throw new StartupError('the data directory already has another operator token; start with that one');
}
