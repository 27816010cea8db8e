import { Registry } from 'prom-client';
import type { AdminService } from '../../src/admin/admin-service.ts';
import { FULL_ACCESS } from '../../src/auth/index.ts';
import { policyDatabases } from '../../src/catalog/index.ts';
import type { GroupKey, InfluxqlRequest, InfluxqlResult, InfluxqlService } from '../../src/query/influxql/contract.ts';
import type { QueryService, SqlRequest, StatementDescription } from '../../src/query/query-service.ts';
import type { QueryResult, ResultBatch, ResultColumn } from '../../src/query/result.ts';
import {
  type AuthInput,
  type AuthVerdict,
  buildHttpServer,
  type HttpDependencies,
  type HttpServer,
  type RequestAuthenticator,
} from '../../src/server/index.ts';
import type { Clock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';
import { WriteDoor, WriteMetrics } from '../../src/write/index.ts';
import type { WriteOutcome, WriteRequest } from '../../src/write/write-service.ts';
import { deferred } from '../support/deferred.ts';

export const CLUSTER_UUID = '11111111-2222-4333-8444-555555555555';

export const fixedClock: Clock = {
  nowNs: () => 1_700_000_000_000_000_000n,
  nowMs: () => 1_700_000_000_000,
  monotonicMs: () => 0,
};

/** Remembers writes; answers or throws what the test says. */
export class FakeWriteService {
  readonly requests: WriteRequest[] = [];
  answer: (request: WriteRequest) => WriteOutcome | Promise<WriteOutcome> = () => ({
    acceptedLines: 1,
    acceptedBytes: 10,
    lineErrors: [],
  });

  async write(request: WriteRequest): Promise<WriteOutcome> {
    this.requests.push({ ...request, body: Buffer.from(request.body) });
    return this.answer(request);
  }

  /** From now on writes wait for `finish`; `asked` resolves when one has come. */
  hold(): { readonly asked: Promise<void>; readonly finish: () => void } {
    const asked = deferred();
    const finished = deferred();
    this.answer = async () => {
      asked.resolve();
      await finished.promise;
      return { acceptedLines: 1, acceptedBytes: 1, lineErrors: [] };
    };
    return { asked: asked.promise, finish: () => finished.resolve() };
  }
}

/** Remembers queries; answers or throws what the test says. */
export class FakeQueryService implements QueryService {
  readonly requests: SqlRequest[] = [];
  answer: (request: SqlRequest) => QueryResult | Promise<QueryResult> = () => resultOf([], []);
  parquet: () => Uint8Array = () => Buffer.from('PAR1');

  async sql(request: SqlRequest): Promise<QueryResult> {
    this.requests.push(request);
    return this.answer(request);
  }

  async describe(request: SqlRequest): Promise<StatementDescription> {
    this.requests.push(request);
    return { columns: (await this.answer(request)).columns, parameters: [] };
  }

  async sqlToParquet(request: SqlRequest): Promise<Uint8Array> {
    this.requests.push(request);
    return this.parquet();
  }
}

export class FakeInfluxql implements InfluxqlService {
  readonly requests: InfluxqlRequest[] = [];
  answer: (request: InfluxqlRequest) => InfluxqlResult = () => {
    throw new Error('no InfluxQL answer was set');
  };

  async run(request: InfluxqlRequest): Promise<InfluxqlResult> {
    this.requests.push(request);
    return this.answer(request);
  }

  async describe(request: InfluxqlRequest): Promise<{ columns: readonly ResultColumn[]; groupKey: GroupKey }> {
    this.requests.push(request);
    const { result, groupKey } = this.answer(request);
    return { columns: result.columns, groupKey };
  }

  async toParquet(request: InfluxqlRequest): Promise<Uint8Array> {
    this.requests.push(request);
    return Buffer.from('PAR1');
  }
}

export class FakeTelemetry {
  readonly writes: [lines: number, bytes: number][] = [];

  recordWrite(lines: number, bytes: number): void {
    this.writes.push([lines, bytes]);
  }

  recordQuery(): void {}
}

export interface TestServer {
  readonly server: HttpServer;
  readonly writes: FakeWriteService;
  readonly queries: FakeQueryService;
  readonly influxql: FakeInfluxql;
  readonly telemetry: FakeTelemetry;
  readonly admin: FakeAdmin;
  readonly inject: HttpServer['inject'];
}

export async function testServer(overrides: Partial<HttpDependencies> = {}): Promise<TestServer> {
  const writes = new FakeWriteService();
  const queries = new FakeQueryService();
  const influxql = new FakeInfluxql();
  const telemetry = new FakeTelemetry();
  const admin = new FakeAdmin();
  const metrics = new Registry();
  const server = await buildHttpServer({
    writeService: new WriteDoor({ store: writes, telemetry, metrics: new WriteMetrics(metrics) }),
    deleteService: { deleteRows: () => Promise.reject(new Error('no rows to delete here')) },
    queryService: queries,
    influxqlService: influxql,
    adminService: admin.service,
    policyDatabase: policyDatabases(() => undefined),
    engineService: { request: async () => undefined, databaseOf: () => undefined },
    authenticator: fakeAuthenticator(() => ({ allowed: true, access: FULL_ACCESS })),
    metrics,
    clock: fixedClock,
    logger: silentLogger,
    clusterUuid: CLUSTER_UUID,
    product: { version: '3.10.0-ts.1', revision: 'abc1234', processId: '99999999-2222-4333-8444-555555555555' },
    maxBodyBytes: 1000,
    ...overrides,
  });
  return { server, writes, queries, influxql, telemetry, admin, inject: (options) => server.inject(options) };
}

/** Lets in whom `verify` allows. */
export function fakeAuthenticator(verify: (input: AuthInput) => AuthVerdict, enabled = true): RequestAuthenticator {
  const wouldAllow: RequestAuthenticator['wouldAllow'] = (input) => {
    const verdict = verify(input);
    return verdict.allowed ? verdict.access : undefined;
  };
  return { enabled, verify, wouldAllow };
}

export function resultOf(columns: readonly ResultColumn[], batches: readonly ResultBatch[]): QueryResult {
  return {
    columns,
    async *batches() {
      yield* batches;
    },
    cancel: () => {},
  };
}

/** Remembers every call as `area.method` with its arguments; answers or throws what the test says. */
export class FakeAdmin {
  readonly calls: [name: string, ...args: unknown[]][] = [];
  answer: (name: string) => unknown = () => undefined;
  readonly service: AdminService;

  constructor() {
    const area = (name: string): unknown =>
      new Proxy(
        {},
        {
          get:
            (_target, method) =>
            (...args: unknown[]): unknown => {
              this.calls.push([`${name}.${String(method)}`, ...args]);
              return this.answer(`${name}.${String(method)}`);
            },
        },
      );
    this.service = {
      databases: area('databases'),
      tables: area('tables'),
      caches: area('caches'),
      tokens: area('tokens'),
      triggers: area('triggers'),
      plugins: area('plugins'),
    } as AdminService;
  }
}
