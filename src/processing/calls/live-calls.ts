import type { QueryService } from '../../query/query-service.ts';
import type { QueryResult } from '../../query/result.ts';
import { InfluxError } from '../../shared/errors.ts';
import { LineProtocolError } from '../../write/line-protocol/index.ts';
import type { WriteService } from '../../write/write-service.ts';
import { messageOf } from '../plugins/system-error.ts';
import type { TriggerLogLevel } from '../trigger-log.ts';
import type { AnswerStream } from './answer-stream.ts';
import { bindValues } from './bind-values.ts';
import { databaseNameProblem, writeTargetProblem } from './database-name.ts';
import type { AnswerHead, PluginCalls, QueryParams, SharedCache } from './plugin-host.ts';

/** Lines that one call of a plugin may queue. */
export const QUEUED_BYTES_MAX = 256 * 1024 * 1024;

export interface LiveCallsOptions {
  readonly writes: WriteService;
  readonly queries: QueryService;
  readonly sharedCache: SharedCache;
  readonly log: (level: TriggerLogLevel, text: string) => void;
  /** Takes long answers; undefined = the call is no request. */
  readonly answers: AnswerStream | undefined;
  /** Stands for the trigger in its writes. */
  readonly writer: object;
  /** Database of the trigger. */
  readonly own: { readonly name: string; readonly isDeleted: () => boolean };
}

/** What one call of a trigger's plugin does: its queries and writes are real, its queued lines wait for its end. */
export class LiveCalls implements PluginCalls {
  readonly sharedCache: SharedCache;
  readonly log: (level: TriggerLogLevel, text: string) => void;
  readonly #writes: WriteService;
  readonly #queries: QueryService;
  readonly #answers: AnswerStream | undefined;
  readonly #writer: object;
  readonly #own: LiveCallsOptions['own'];
  readonly #queued = new Map<string, string[]>();
  readonly #storedIn = new Set<string>();
  #queuedBytes = 0;

  constructor({ answers, log, own, queries, sharedCache, writer, writes }: LiveCallsOptions) {
    this.#writer = writer;
    this.#own = own;
    this.#answers = answers;
    this.log = log;
    this.sharedCache = sharedCache;
    this.#queries = queries;
    this.#writes = writes;
  }

  queue(database: string, lines: string): void {
    this.#queuedBytes += lines.length;
    if (this.#queuedBytes > QUEUED_BYTES_MAX) throw new Error(`more than ${QUEUED_BYTES_MAX} bytes of lines wait for the end of the call`);
    const known = this.#queued.get(database);
    if (known === undefined) this.#queued.set(database, [lines]);
    else known.push(lines);
  }

  async write(database: string, lines: string, noSync: boolean): Promise<void> {
    const problem = await this.#store(database, lines, noSync);
    if (problem !== undefined) throw new Error(`error writing line protocol to ${database}: ${problem}`);
  }

  query(database: string, sql: string, params: QueryParams, signal: AbortSignal): Promise<QueryResult> {
    return runPluginQuery(this.#queries, { database, sql, params }, signal);
  }

  /** Whether rows of the call were stored in a database. */
  hasStoredIn(database: string): boolean {
    return this.#storedIn.has(database);
  }

  answer(head: AnswerHead, piece: Uint8Array): Promise<boolean> {
    return this.#answers?.push(head, piece) ?? Promise.resolve(false);
  }

  /** Writes what the call queued, all lines of a database as one write. Resolves with what failed, one text a database. */
  async writeQueued(): Promise<string[]> {
    const problems: string[] = [];
    for (const [database, lines] of this.#queued) {
      const problem = await this.#store(database, lines.join('\n'), false);
      if (problem !== undefined) problems.push(`error writing back lines to ${database}: ${problem}`);
    }
    this.#queued.clear();
    return problems;
  }

  /** What went wrong; undefined = stored. Nothing is stored in part. */
  async #store(database: string, lines: string, noSync: boolean): Promise<string | undefined> {
    const problem = writeTargetProblem(database);
    if (problem !== undefined) return problem;
    // A call that outlives the database of its trigger must not make it again.
    if (database === this.#own.name && this.#own.isDeleted()) return 'Cannot write: database not found';
    try {
      const body = Buffer.from(lines);
      const origin = { trigger: this.#writer };
      await this.#writes.write({ database, body, precision: 'nanosecond', acceptPartial: false, noSync, origin });
      this.#storedIn.add(database);
      return undefined;
    } catch (error) {
      if (error instanceof LineProtocolError) return `Cannot write: line protocol parse failed: ${error.lineError.errorMessage}`;
      return `Cannot write: ${messageOf(error)}`;
    }
  }
}

/** Runs a query of a plugin. Rejects with the text that the plugin sees. */
export async function runPluginQuery(
  queries: QueryService,
  { database, params, sql }: { readonly database: string; readonly sql: string; readonly params: QueryParams },
  signal: AbortSignal,
): Promise<QueryResult> {
  const problem = databaseNameProblem(database);
  if (problem !== undefined) throw new Error(`invalid database name provided: ${problem}`);
  try {
    return await queries.sql({ database, query: sql, params: bindValues(params), signal, origin: 'plugin' });
  } catch (error) {
    if (!(error instanceof InfluxError) && !(error instanceof TypeError) && !(error instanceof RangeError)) throw error;
    throw new Error(`error: ${error.message} executing query on ${database}: ${sql}`, { cause: error });
  }
}
