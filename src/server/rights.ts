import { type Access, NO_ACCESS } from '../auth/index.ts';
import type { SystemResource } from '../shared/token-permissions.ts';

/**
 * What a request needs besides a token that is valid, if the gate asks for one:
 *
 * - `nothing`
 * - `visible`: nothing; it shows what the token may see
 * - `read`, `write`: that, on the database that it names
 * - `statements`: what each of its statements needs, on the database that it names
 * - `plugin`: to read and write the database of the trigger that serves it
 * - `system:<resource>`: to read what the server tells about itself
 * - `admin`: an admin token
 */
export type Right = 'nothing' | 'visible' | 'read' | 'write' | 'statements' | 'plugin' | 'admin' | `system:${SystemResource}`;

/**
 * What every route needs. A route that is not here cannot be registered. `admin` and `system` are checked before the handler is called; for the
 * others it gets an access with these rights alone, admin tokens too, and the services that it can reach ask it (`guarded-services.ts`).
 */
export const ROUTE_RIGHTS: Readonly<Record<string, Right>> = {
  'GET /': 'nothing',
  'GET /explorer/app.js': 'nothing',
  'GET /explorer/app.css': 'nothing',

  'POST /api/v3/write_lp': 'write',
  'POST /write': 'write',
  'POST /api/v2/write': 'write',
  'POST /api/v2/delete': 'write',

  'GET /api/v3/query_sql': 'read',
  'POST /api/v3/query_sql': 'read',
  'GET /api/v3/query_influxql': 'statements',
  'POST /api/v3/query_influxql': 'statements',
  'GET /query': 'statements',
  'POST /query': 'statements',
  'POST /api/v2/query': 'statements',

  'GET /health': 'visible',
  'HEAD /health': 'visible',
  'GET /api/v1/health': 'visible',
  'HEAD /api/v1/health': 'visible',
  'GET /ping': 'nothing',
  'HEAD /ping': 'nothing',
  'POST /ping': 'nothing',
  'GET /ready': 'nothing',
  'GET /metrics': 'system:metrics',
  'HEAD /metrics': 'system:metrics',
  'GET /api/v3/test/telemetry_snapshot': 'system:telemetry',

  'GET /api/v2/buckets': 'visible',
  'GET /api/v2/buckets/:id': 'visible',
  'POST /api/v2/buckets': 'admin',
  'DELETE /api/v2/buckets/:id': 'admin',
  'GET /api/v2/orgs': 'nothing',
  'GET /api/v2/setup': 'nothing',
  'POST /api/v2/setup': 'nothing',
  'GET /api/v2/ping': 'nothing',
  'GET /api/v2/health': 'nothing',
  'GET /api/v2/ready': 'nothing',

  'GET /api/v3/configure/database': 'visible',
  'POST /api/v3/configure/database': 'admin',
  'PUT /api/v3/configure/database': 'admin',
  'DELETE /api/v3/configure/database': 'admin',
  'POST /api/v3/configure/database/undelete': 'admin',
  'POST /api/v3/configure/database/retention_period': 'admin',
  'DELETE /api/v3/configure/database/retention_period': 'admin',
  'POST /api/v3/configure/table': 'admin',
  'DELETE /api/v3/configure/table': 'admin',
  'POST /api/v3/configure/table/undelete': 'admin',
  'POST /api/v3/configure/last_cache': 'admin',
  'DELETE /api/v3/configure/last_cache': 'admin',
  'POST /api/v3/configure/distinct_cache': 'admin',
  'DELETE /api/v3/configure/distinct_cache': 'admin',

  // The gate lets it pass on the machine of the server; it refuses by itself once there is an operator token.
  'POST /api/v3/configure/token/admin': 'nothing',
  'POST /api/v3/configure/token/admin/regenerate': 'admin',
  'POST /api/v3/configure/token/named_admin': 'admin',
  'POST /api/v3/configure/token': 'admin',
  'POST /api/v3/enterprise/configure/token': 'admin',
  'DELETE /api/v3/configure/token': 'admin',

  'POST /api/v3/configure/processing_engine_trigger': 'admin',
  'DELETE /api/v3/configure/processing_engine_trigger': 'admin',
  'POST /api/v3/configure/processing_engine_trigger/enable': 'admin',
  'POST /api/v3/configure/processing_engine_trigger/disable': 'admin',
  'POST /api/v3/configure/plugin_environment/install_packages': 'admin',
  'POST /api/v3/configure/plugin_environment/install_requirements': 'admin',
  'POST /api/v3/plugins/files': 'admin',
  'PUT /api/v3/plugins/files': 'admin',
  'PUT /api/v3/plugins/directory': 'admin',
  'POST /api/v3/plugin_test/wal': 'admin',
  'POST /api/v3/plugin_test/schedule': 'admin',
  'GET /api/v3/engine/*': 'plugin',
  'POST /api/v3/engine/*': 'plugin',

  'POST /api/v3/backup': 'admin',
  'GET /api/v3/backup/:id': 'admin',
  'DELETE /api/v3/backup/:id': 'admin',

  'GET /telemetry/page.js': 'nothing',
  'GET /telemetry/page.css': 'nothing',
  'GET /telemetry': 'system:telemetry',
  'GET /api/v3/telemetry/status': 'system:telemetry',
  'GET /api/v3/telemetry/preview': 'system:telemetry',
  'GET /api/v3/telemetry/log': 'system:telemetry',
  'GET /api/v3/telemetry/schema': 'system:telemetry',
  'POST /api/v3/telemetry/off': 'admin',
  'POST /api/v3/telemetry/on': 'admin',
  'POST /api/v3/telemetry/reset_id': 'admin',
  // Other servers report without a token; it is there with `--telemetry-receiver` only.
  'POST /telem': 'nothing',
};

/** Methods of Arrow Flight that are known. */
export type FlightMethod =
  | 'DoGet'
  | 'GetFlightInfo'
  | 'DoAction'
  | 'DoPut'
  | 'Handshake'
  | 'GetSchema'
  | 'PollFlightInfo'
  | 'ListFlights'
  | 'ListActions'
  | 'DoExchange';

/** What every method of Arrow Flight needs; `open` = not even a token, because it tells nothing of what the server holds. */
export const FLIGHT_RIGHTS: Readonly<Record<FlightMethod, 'read' | 'statements' | 'open'>> = {
  DoGet: 'statements',
  GetFlightInfo: 'statements',
  DoAction: 'read',
  DoPut: 'read',
  Handshake: 'open',
  GetSchema: 'open',
  PollFlightInfo: 'open',
  ListFlights: 'open',
  ListActions: 'open',
  DoExchange: 'open',
};

/** What a route needs; undefined = it has no entry. */
export function rightOf(method: string, url: string): Right | undefined {
  const key = `${method} ${url}`;
  return Object.hasOwn(ROUTE_RIGHTS, key) ? ROUTE_RIGHTS[key] : undefined;
}

/** What is left of an access for a request that needs no more than `right`. */
export function narrowed(access: Access, right: Right): Access {
  switch (right) {
    case 'nothing':
      return NO_ACCESS;
    case 'read':
    case 'visible':
      return access.reading;
    case 'write':
      return access.writing;
    default:
      return access;
  }
}
