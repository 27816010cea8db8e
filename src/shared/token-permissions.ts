import { INTERNAL_DATABASE } from './internal-database.ts';

/** What a resource token may do: permissions on databases and on what the server tells about itself. */

/** Kinds of resources, and what can be done with each. */
const ACTIONS = { db: ['read', 'write'], system: ['read'] } as const;

/** What `system` permissions can name, besides `*`. */
export const SYSTEM_RESOURCES = ['health', 'metrics', 'ping', 'telemetry'] as const;

export type SystemResource = (typeof SYSTEM_RESOURCES)[number];
export type PermissionAction = 'read' | 'write';
export type PermissionResource = keyof typeof ACTIONS;

/** One permission: these actions on each of these resources. */
export interface TokenPermission {
  readonly resource: PermissionResource;
  /** Databases, or system resources; `*` stands for all, `_internal` left out. */
  readonly names: readonly string[];
  readonly actions: readonly PermissionAction[];
}

/** Names that the permissions of one token may have together. */
const NAMES_MAX = 1000;

/** A database, or `<database>/<retention policy>`. */
const DATABASE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9_-]+)?$/;

/** A permission that cannot be granted; the message says what is wrong and what there is. */
export class PermissionError extends Error {}

/** Reads `RESOURCE_TYPE:RESOURCE_NAMES:ACTIONS`, lists with commas. Throws `PermissionError`. */
export function parsePermission(text: string): TokenPermission {
  const [resource = '', names, actions, ...more] = text.split(':');
  if (names === undefined || actions === undefined || more.length > 0) {
    throw new PermissionError(`'${text}' is not of the form RESOURCE_TYPE:RESOURCE_NAMES:ACTIONS, for example db:home,garden:read,write`);
  }
  return checkedPermission(resource, names.split(','), actions.split(','));
}

/** Checks the parts of a permission; `*` as an action stands for all of them. Throws `PermissionError`. */
export function checkedPermission(resource: string, names: readonly string[], actions: readonly string[]): TokenPermission {
  if (!isResource(resource)) throw new PermissionError(`'${resource}' is no resource type: there are db and system`);
  if (names.length === 0) throw new PermissionError(`a permission on ${resource} names nothing`);
  if (actions.length === 0) throw new PermissionError(`a permission on ${resource} has no actions`);
  const known: readonly PermissionAction[] = ACTIONS[resource];
  const wanted = actions.flatMap((action) => {
    if (action === '*') return known;
    if (!(known as readonly string[]).includes(action)) {
      throw new PermissionError(`'${action}' cannot be done with ${resource}: there is ${known.join(' and ')}`);
    }
    return [action as PermissionAction];
  });
  for (const name of names) checkName(resource, name);
  const writes = wanted.includes('write');
  if (writes && names.includes(INTERNAL_DATABASE)) throw new PermissionError(`the database '${INTERNAL_DATABASE}' can be read only`);
  return { resource, names: [...new Set(names)], actions: known.filter((action) => wanted.includes(action)) };
}

/** Checks what one token is to have. Throws `PermissionError`. */
export function checkPermissions(permissions: readonly TokenPermission[]): void {
  if (permissions.length === 0) throw new PermissionError('a resource token needs at least one permission');
  const count = permissions.reduce((sum, { names }) => sum + names.length, 0);
  if (count > NAMES_MAX) throw new PermissionError(`the permissions name ${count} resources, at most ${NAMES_MAX} are possible`);
}

/** As `parsePermission` reads it, several joined by `; `. Undefined = an admin token, which may do everything. */
export function permissionsText(permissions: readonly TokenPermission[] | undefined): string {
  if (permissions === undefined) return '*:*:*';
  return permissions.map(({ resource, names, actions }) => `${resource}:${names.join(',')}:${actions.join(',')}`).join('; ');
}

function isResource(text: string): text is PermissionResource {
  return Object.hasOwn(ACTIONS, text);
}

function checkName(resource: PermissionResource, name: string): void {
  if (name === '*') return;
  if (resource === 'system') {
    if ((SYSTEM_RESOURCES as readonly string[]).includes(name)) return;
    throw new PermissionError(`'${name}' is no system resource: there are ${SYSTEM_RESOURCES.join(', ')} and *`);
  }
  if (name !== INTERNAL_DATABASE && !DATABASE_NAME.test(name)) throw new PermissionError(`'${name}' is no name of a database`);
}
