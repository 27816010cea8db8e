import { InfluxError } from '../shared/errors.ts';
import type { PermissionAction, SystemResource } from '../shared/token-permissions.ts';
import type { Right } from './rights.ts';

/**
 * The token may not read or write the database. The text is the same whether the database is there or not; so a retention policy is not named,
 * because the request may have named none, and only a database that is there has a default.
 */
export function databaseDenied(action: PermissionAction, database: string): InfluxError {
  const name = database.replace(/\/.*$/s, '');
  return denied(`the token may not ${action} the database '${name}', it needs the permission db:${name}:${action}`);
}

/** Only an admin token may do this. */
export function adminNeeded(): InfluxError {
  return denied('this needs an admin token');
}

/** The token may not run the plugin. The text is the same whether there is one or not. */
export function pluginDenied(): InfluxError {
  return denied('the token may not call this plugin: it needs the permission to read and write the database of its trigger');
}

/** What is missing for a route that asks for `admin` or `system`. */
export function rightDenied(right: Right): InfluxError {
  return right.startsWith('system:') ? systemDenied(right.slice('system:'.length) as SystemResource) : adminNeeded();
}

function systemDenied(resource: SystemResource): InfluxError {
  return denied(`the token may not read the ${resource} of the server, it needs the permission system:${resource}:read`);
}

/** 403: the token is good, but not for this. */
function denied(message: string): InfluxError {
  return new InfluxError({ code: 'PERMISSION_DENIED', message, status: 403, shape: 'auth' });
}
