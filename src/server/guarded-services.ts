import type { DatabaseAdmin, DatabaseListing, DeleteService } from '../admin/index.ts';
import type { Access } from '../auth/index.ts';
import type { EngineRequest, EngineResponse, EngineService } from '../processing/processing-service.ts';
import type { InfluxqlRequest, InfluxqlService } from '../query/influxql/contract.ts';
import type { QueryService, SqlRequest } from '../query/query-service.ts';
import type { WriteOutcome, WriteRequest, WriteService } from '../write/write-service.ts';
import { checkStatement } from './influxql-rights.ts';
import { databaseDenied, pluginDenied } from './permission-errors.ts';

/*
 * The services of the server as routes and Flight methods can reach them: every call says with which access it is made, and rejects with
 * PERMISSION_DENIED before anything is done when that is not enough.
 */

/** Writes of those who may write the database, which is made by its first write. */
export class GuardedWrites {
  readonly #writes: WriteService;

  constructor(writes: WriteService) {
    this.#writes = writes;
  }

  /** Throws when `write` would be refused, so that no body is read for it. */
  check(access: Access, database: string): void {
    if (!access.mayWrite(database)) throw databaseDenied('write', database);
  }

  write(access: Access, request: WriteRequest): Promise<WriteOutcome> {
    if (!access.mayWrite(request.database)) return Promise.reject(databaseDenied('write', request.database));
    return this.#writes.write(request);
  }
}

/** Deletes rows for those who may write them, as in InfluxDB 1 and 2. */
export class GuardedDeletes {
  readonly #deletes: DeleteService;

  constructor(deletes: DeleteService) {
    this.#deletes = deletes;
  }

  /** Throws when `deleteRows` would be refused, so that no body is read for it. */
  check(access: Access, database: string): void {
    if (!access.mayWrite(database)) throw databaseDenied('write', database);
  }

  async deleteRows(access: Access, ...[database, request]: Parameters<DeleteService['deleteRows']>): Promise<void> {
    this.check(access, database);
    return this.#deletes.deleteRows(database, request);
  }
}

/** Queries of those who may read the database. */
export class GuardedQueries {
  readonly #queries: QueryService;

  constructor(queries: QueryService) {
    this.#queries = queries;
  }

  /** Throws when the database may not be read. */
  check(access: Access, database: string): void {
    if (!access.mayRead(database)) throw databaseDenied('read', database);
  }

  /** The query service for one access. */
  for(access: Access): QueryService {
    const guarded = (request: SqlRequest): SqlRequest => {
      this.check(access, request.database);
      return access.readsAll ? request : { ...request, ownQueriesOnly: true };
    };
    return {
      sql: async (request) => this.#queries.sql(guarded(request)),
      sqlToParquet: async (request) => this.#queries.sqlToParquet(guarded(request)),
      describe: async (request) => this.#queries.describe(guarded(request)),
    };
  }
}

/** Statements of those who may do what they say. */
export class GuardedInfluxql {
  readonly #influxql: InfluxqlService;

  constructor(influxql: InfluxqlService) {
    this.#influxql = influxql;
  }

  /** Throws when the statement would be refused. */
  check(access: Access, request: InfluxqlRequest): void {
    checkStatement(access, request);
  }

  /** The InfluxQL service for one access. */
  for(access: Access): InfluxqlService {
    const guarded = (request: InfluxqlRequest): InfluxqlRequest => {
      checkStatement(access, request);
      return access.readsAll ? request : { ...request, isVisible: (database) => access.mayRead(database) };
    };
    return {
      run: async (request) => this.#influxql.run(guarded(request)),
      describe: async (request) => this.#influxql.describe(guarded(request)),
      toParquet: async (request) => this.#influxql.toParquet(guarded(request)),
    };
  }
}

/** Plugins do what their authors want with the database of their trigger, so whoever calls one must be allowed to do that. */
export class GuardedEngine {
  readonly #engine: EngineService;

  constructor(engine: EngineService) {
    this.#engine = engine;
  }

  /** Throws when the plugin behind a path may not be called. */
  check(access: Access, path: string): void {
    if (access.isAdmin) return;
    const database = this.#engine.databaseOf(path);
    if (database === undefined || !access.mayRead(database) || !access.mayWrite(database)) throw pluginDenied();
  }

  async request(access: Access, request: EngineRequest): Promise<EngineResponse | undefined> {
    this.check(access, request.path);
    return this.#engine.request(request);
  }
}

/** The databases that an access may read, live ones first, then by name. */
export function visibleDatabases(access: Access, databases: DatabaseAdmin, options: { readonly showDeleted: boolean }): DatabaseListing[] {
  return databases.list(options).filter(({ name }) => access.mayRead(name));
}
