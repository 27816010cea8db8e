import { INTERNAL_DATABASE } from '../shared/internal-database.ts';
import type { SystemResource, TokenPermission } from '../shared/token-permissions.ts';

/** Databases that a token may use in one way. */
interface Databases {
  has(name: string): boolean;
}

const ALL: Databases = { has: () => true };
const NONE: Databases = { has: () => false };

interface Rights {
  readonly isAdmin: boolean;
  readonly reads: Databases;
  readonly writes: Databases;
  /** Undefined = all. */
  readonly system: ReadonlySet<string> | undefined;
}

const NOTHING: Rights = { isAdmin: false, reads: NONE, writes: NONE, system: new Set() };

/**
 * What whoever sends a request may do. Made once for a token; asking costs no more than a look into a set.
 *
 * Shared by: all requests with the token. Safe because it never changes: a token that changes is another record, with another access.
 */
export class Access {
  /** May do everything, with everything. */
  readonly isAdmin: boolean;
  readonly #rights: Rights;
  #reading: Access | undefined;
  #writing: Access | undefined;

  constructor(rights: Rights) {
    this.isAdmin = rights.isAdmin;
    this.#rights = rights;
  }

  mayRead(database: string): boolean {
    return this.#rights.reads.has(database);
  }

  mayWrite(database: string): boolean {
    return this.#rights.writes.has(database);
  }

  maySee(resource: SystemResource): boolean {
    const { system } = this.#rights;
    return system === undefined || system.has('*') || system.has(resource);
  }

  /** True when every database may be read, those that are not there yet and `_internal` too. */
  get readsAll(): boolean {
    return this.#rights.reads === ALL;
  }

  /** This access without anything but reading. */
  get reading(): Access {
    this.#reading ??= new Access({ ...this.#rights, isAdmin: false, writes: NONE });
    return this.#reading;
  }

  /** This access without anything but writing databases. */
  get writing(): Access {
    this.#writing ??= new Access({ ...NOTHING, writes: this.#rights.writes });
    return this.#writing;
  }
}

/** Of an admin token, of a server without authentication, and of the paths that need no token. */
export const FULL_ACCESS = new Access({ isAdmin: true, reads: ALL, writes: ALL, system: undefined });

/** What a request may do for which nothing is needed. */
export const NO_ACCESS = new Access(NOTHING);

/** What a token with these permissions may do; undefined = an admin token. */
export function accessOf(permissions: readonly TokenPermission[] | undefined): Access {
  if (permissions === undefined) return FULL_ACCESS;
  const named = (action: TokenPermission['actions'][number]): Databases =>
    new NamedDatabases(permissions.filter(({ resource, actions }) => resource === 'db' && actions.includes(action)));
  const system = permissions.filter(({ resource }) => resource === 'system').flatMap(({ names }) => names);
  return new Access({ isAdmin: false, reads: named('read'), writes: named('write'), system: new Set(system) });
}

/** A database stands for its retention policies too, which are the databases `<database>/<policy>`. */
class NamedDatabases implements Databases {
  readonly #names: ReadonlySet<string>;

  constructor(permissions: readonly TokenPermission[]) {
    this.#names = new Set(permissions.flatMap(({ names }) => names));
  }

  has(name: string): boolean {
    const names = this.#names;
    if (names.has(name)) return true;
    if (name === INTERNAL_DATABASE) return false; // only a permission with its name opens it
    const slash = name.indexOf('/');
    return names.has('*') || (slash > 0 && names.has(name.slice(0, slash)));
  }
}
