import type { Catalog } from '../catalog/index.ts';
import type { QueryService } from '../query/query-service.ts';
import type { QueryResult } from '../query/result.ts';
import type { Clock } from '../shared/clock.ts';
import { formatDurationNs } from '../shared/duration.ts';
import type { Logger } from '../shared/logger.ts';
import type { Timers } from '../shared/timers.ts';
import { LineProtocolError, rehearseWrite } from '../write/index.ts';
import { databaseNameProblem, writeTargetProblem } from './calls/database-name.ts';
import { runPluginQuery } from './calls/live-calls.ts';
import {
  type CallInput,
  type PluginCalls,
  PluginFailure,
  type PluginHost,
  type QueryParams,
  type SharedCache,
} from './calls/plugin-host.ts';
import { parseCron } from './cron.ts';
import type { WalBatch } from './delivery/wal-rows.ts';
import type { PluginCodeReader, PluginLanguage } from './plugins/plugin-code.ts';
import { messageOf } from './plugins/system-error.ts';
import type { DryRunRequest, DryRunResult } from './processing-service.ts';
import type { TriggerLogLevel } from './trigger-log.ts';
import { spanText } from './triggers/trigger-runner.ts';

export interface DryRunsOptions {
  readonly catalog: Pick<Catalog, 'database'>;
  readonly code: PluginCodeReader;
  readonly queries: QueryService;
  readonly sharedCache: SharedCache;
  readonly openHost: (language: PluginLanguage, label: string) => PluginHost;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Longest call; undefined = `TIMEOUT_MS`. */
  readonly timeoutMs: number | undefined;
}

/** A dry run has somebody who waits for it. */
const TIMEOUT_MS = 300_000;

const CACHE_NAME = '_shared_test';
const EVERY_SECOND = '* * * * * *';

const NOTHING: DryRunResult = { logLines: [], databaseWrites: new Map(), errors: [] };

/** Calls plugins without triggers: what they write is shown, not stored. Their queries are real. */
export class DryRuns {
  readonly #options: DryRunsOptions;
  readonly #hosts = new Map<PluginLanguage, PluginHost>();

  constructor(options: DryRunsOptions) {
    this.#options = options;
  }

  /** Throws when the plugin cannot be read; everything else is in the result. */
  async wal(request: DryRunRequest & { readonly lines: string }): Promise<DryRunResult> {
    const { catalog, clock, code } = this.#options;
    const { database, lines } = request;
    const plugin = await code.read(request.filename);
    if (writeTargetProblem(database) !== undefined) return failed(`invalid database ${database}`);
    let batch: WalBatch;
    try {
      const rows = await rehearseWrite({ database, schema: catalog.database(database), lines, clock });
      const tables = rows.map(({ section, series, table }) => ({ tableName: table.name, section, series, columns: table.columns }));
      batch = { tables, origin: 'client', bytes: 0, rowCount: 0, queuedMs: 0 };
    } catch (error) {
      return failed(error instanceof LineProtocolError ? `line protocol parse failed: ${error.lineError.errorMessage}` : messageOf(error));
    }
    return this.#run(request, plugin, { kind: 'wal', batches: [batch] }, 'starting execution of wal plugin.');
  }

  /** As `wal`, at the next time of a cron expression. */
  async schedule(
    request: DryRunRequest & { readonly cron: string | undefined },
  ): Promise<DryRunResult & { readonly timeMs: number | undefined }> {
    const { catalog, clock, code } = this.#options;
    const plugin = await code.read(request.filename);
    const refuse = (text: string): DryRunResult & { readonly timeMs: undefined } => ({ ...failed(text), timeMs: undefined });
    if (catalog.database(request.database) === undefined) return refuse("couldn't find db");
    const expression = request.cron ?? EVERY_SECOND;
    const cron = parseCron(expression);
    if ('problem' in cron) return refuse(`invalid cron syntax: ${cron.problem}`);
    const timeMs = cron.nextAfter(clock.nowMs());
    if (timeMs === undefined) return refuse(`cron schedule never triggers: ${expression}`);
    const text = `starting execution with scheduled time ${new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    const result = await this.#run(request, plugin, { kind: 'schedule', timeMs }, text);
    return { ...result, timeMs: result.errors.some((error) => error.startsWith(FAILED)) ? undefined : timeMs };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.stop()));
  }

  async #run(
    request: DryRunRequest,
    code: Awaited<ReturnType<PluginCodeReader['read']>>,
    input: CallInput,
    firstLine: string,
  ): Promise<DryRunResult> {
    const { clock, queries, sharedCache } = this.#options;
    const calls = new DryCalls(queries, sharedCache);
    const startedMs = clock.monotonicMs();
    calls.log('INFO', firstLine);
    const args = request.arguments === undefined ? null : Object.fromEntries(request.arguments);
    try {
      const host = this.#hostFor(code.language);
      await host.ready(code);
      const call = { code, database: request.database, args, input, cacheName: request.cacheName ?? CACHE_NAME };
      await this.#timed((signal) => host.call(call, calls, signal));
    } catch (error) {
      if (!(error instanceof PluginFailure)) throw error;
      return failed(`${FAILED}${error.message}`);
    }
    calls.log('INFO', `finished execution in ${spanText(clock.monotonicMs() - startedMs)}`);
    const databaseWrites = calls.writes();
    return { logLines: calls.lines, databaseWrites, errors: await this.#check(databaseWrites) };
  }

  #hostFor(language: PluginLanguage): PluginHost {
    const known = this.#hosts.get(language);
    if (known !== undefined) return known;
    const host = this.#options.openHost(language, 'dry run');
    this.#hosts.set(language, host);
    return host;
  }

  async #timed<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs = TIMEOUT_MS, timers } = this.#options;
    const ended = new AbortController();
    const text = `plugin execution timed out after ${formatDurationNs(BigInt(Math.round(timeoutMs)) * 1_000_000n)}`;
    const cancel = timers.after(timeoutMs, () => ended.abort(new PluginFailure('timeout', text)));
    try {
      return await run(ended.signal);
    } finally {
      cancel();
    }
  }

  /** What the writes would be refused for. */
  async #check(writes: ReadonlyMap<string, readonly string[]>): Promise<string[]> {
    const { catalog, clock } = this.#options;
    const errors: string[] = [];
    for (const [database, lines] of writes) {
      const problem = databaseNameProblem(database) ?? writeTargetProblem(database);
      if (problem !== undefined) {
        errors.push(`database name ${database} is invalid: ${problem}`);
        continue;
      }
      try {
        await rehearseWrite({ database, schema: catalog.database(database), lines: lines.join('\n'), clock });
      } catch (error) {
        errors.push(`line protocol parse error on write to db ${database}: ${lineErrorText(error)}`);
      }
    }
    return errors;
  }
}

const FAILED = 'error executing plugin: ';

function failed(text: string): DryRunResult {
  return { ...NOTHING, errors: [text] };
}

function lineErrorText(error: unknown): string {
  if (!(error instanceof LineProtocolError)) return messageOf(error);
  const { errorMessage, lineNumber, originalLine } = error.lineError;
  const quoted = JSON.stringify(originalLine);
  return `WriteLineError { original_line: ${quoted}, line_number: ${lineNumber}, error_message: ${JSON.stringify(errorMessage)} }`;
}

/** Notes what a plugin would write. */
class DryCalls implements PluginCalls {
  readonly lines: string[] = [];
  readonly sharedCache: SharedCache;
  readonly #queries: QueryService;
  readonly #written = new Map<string, string[]>();
  readonly #queued = new Map<string, string[]>();

  constructor(queries: QueryService, sharedCache: SharedCache) {
    this.#queries = queries;
    this.sharedCache = sharedCache;
  }

  log(level: TriggerLogLevel, text: string): void {
    this.lines.push(`${level}: ${text}`);
  }

  queue(database: string, lines: string): void {
    add(this.#queued, database, lines);
  }

  write(database: string, lines: string): Promise<void> {
    add(this.#written, database, lines);
    return Promise.resolve();
  }

  /** There are no dry runs of request plugins. */
  answer(): Promise<boolean> {
    return Promise.resolve(false);
  }

  query(database: string, sql: string, params: QueryParams, signal: AbortSignal): Promise<QueryResult> {
    return runPluginQuery(this.#queries, { database, sql, params }, signal);
  }

  writes(): Map<string, string[]> {
    const all = new Map([...this.#written].map(([database, lines]) => [database, [...lines]]));
    for (const [database, lines] of this.#queued) for (const line of lines) add(all, database, line);
    return all;
  }
}

function add(lines: Map<string, string[]>, database: string, line: string): void {
  const known = lines.get(database);
  if (known === undefined) lines.set(database, [line]);
  else known.push(line);
}
