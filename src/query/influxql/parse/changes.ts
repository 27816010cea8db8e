/** Statements that change databases, policies, measurements and rows, and those that are refused or have nothing to list. */
import type { ChangeStatement, EmptyList, PolicyOptions, Statement } from './ast.ts';
import { parseError } from './errors.ts';
import type { Scanner } from './scanner.ts';
import type { ClauseParser } from './select.ts';

/** What people hear who manage users as InfluxDB 1 did. */
const USERS_REFUSED =
  'users and grants are tokens here: create one with `influxdb3 create token --permission "db:<name>:read,write" --name <name>` or `--admin`, ' +
  'and send it as password with any user name';

/** First words of statements about users, grants, continuous queries and subscriptions, and why they are refused. */
const REFUSED: readonly (readonly [words: readonly string[], message: string])[] = [
  [['CREATE', 'USER'], USERS_REFUSED],
  [['DROP', 'USER'], `user not found: ${USERS_REFUSED}`],
  [['SET', 'PASSWORD'], USERS_REFUSED],
  [['GRANT'], USERS_REFUSED],
  [['REVOKE'], USERS_REFUSED],
  [['SHOW', 'GRANTS'], USERS_REFUSED],
  [
    ['CREATE', 'CONTINUOUS', 'QUERY'],
    'continuous queries are not supported: ask with GROUP BY time(..), or write results with a scheduled client',
  ],
  [['DROP', 'CONTINUOUS', 'QUERY'], 'continuous queries are not supported: there are none'],
  [['CREATE', 'SUBSCRIPTION'], 'subscriptions are not supported: send the data to both servers'],
  [['DROP', 'SUBSCRIPTION'], 'subscriptions are not supported: there are none'],
  [['DROP', 'SHARD'], 'shards are not supported: delete rows with DELETE FROM <measurement> WHERE time < <time>'],
];

/** Lists that are empty here, with the columns of InfluxDB 1. */
const EMPTY_LISTS: readonly (readonly [words: readonly string[], list: EmptyList])[] = [
  [['SUBSCRIPTIONS'], { series: '', columns: ['retention_policy', 'name', 'mode', 'destinations'] }],
  [['USERS'], { series: '', columns: ['user', 'admin'] }],
  [['CONTINUOUS', 'QUERIES'], { series: '', columns: ['name', 'query'] }],
  [
    ['SHARD', 'GROUPS'],
    { series: 'shard groups', columns: ['id', 'database', 'retention_policy', 'start_time', 'end_time', 'expiry_time'] },
  ],
  [
    ['SHARDS'],
    { series: '', columns: ['id', 'database', 'retention_policy', 'shard_group', 'start_time', 'end_time', 'expiry_time', 'owners'] },
  ],
];

const NO_OPTIONS: PolicyOptions = { durationNs: undefined, isDefault: false, replicas: undefined, shardDurationNs: undefined };

const REPLICAS_MAX = 2_147_483_647n;

/** Up to the next `;` outside of quotes. */
const STATEMENT_REST = /(?:[^;'"]|'(?:[^'\\]|\\.)*'?|"(?:[^"\\]|\\.)*"?)*/suy;

/**
 * Parses the statements that read no rows of tables: changes of databases, retention policies and rows, questions about
 * the server, and what is always refused or empty.
 */
export class ChangeParser {
  readonly #scanner: Scanner;
  readonly #clauses: ClauseParser;

  constructor(scanner: Scanner, clauses: ClauseParser) {
    this.#scanner = scanner;
    this.#clauses = clauses;
  }

  /** Undefined = another statement follows; nothing was taken. */
  statement(): Statement | undefined {
    for (const [words, message] of REFUSED) {
      if (!this.#scanner.keywords(...words)) continue;
      this.#skipStatement();
      return { kind: 'refused', message };
    }
    for (const [words, list] of EMPTY_LISTS) if (this.#scanner.keywords('SHOW', ...words)) return { kind: 'empty-list', list };
    const running = this.#running();
    if (running !== undefined) return running;
    const change = this.#change();
    return change === undefined ? undefined : { kind: 'change', change };
  }

  /** About the server and its queries. */
  #running(): Statement | undefined {
    const scanner = this.#scanner;
    if (scanner.keywords('SHOW', 'QUERIES')) return { kind: 'show-queries' };
    if (scanner.keywords('SHOW', 'DIAGNOSTICS')) return { kind: 'show-diagnostics', of: this.#for() };
    if (scanner.keywords('SHOW', 'STATS')) return { kind: 'show-stats', of: this.#for() };
    if (!scanner.keywords('KILL', 'QUERY')) return undefined;
    const start = scanner.blanks();
    const literal = this.#clauses.expressions.literal();
    if (literal?.kind !== 'integer') throw this.#error(start, 'KILL QUERY', 'integer');
    // there is one host: its name means nothing
    if (scanner.keywords('ON')) this.#name('KILL QUERY');
    return { kind: 'kill-query', query: literal.value };
  }

  /** `FOR 'name'`. */
  #for(): string | undefined {
    if (!this.#scanner.keywords('FOR')) return undefined;
    const start = this.#scanner.blanks();
    const name = this.#scanner.string();
    if (name === undefined) throw this.#error(start, 'SHOW', 'string');
    return name;
  }

  #change(): ChangeStatement | undefined {
    const scanner = this.#scanner;
    if (scanner.keywords('CREATE', 'DATABASE')) return this.#createDatabase();
    if (scanner.keywords('DROP', 'DATABASE')) return { what: 'DROP DATABASE', name: this.#name('DROP DATABASE') };
    if (scanner.keywords('DROP', 'MEASUREMENT')) return { what: 'DROP MEASUREMENT', name: this.#name('DROP MEASUREMENT') };
    if (scanner.keywords('CREATE', 'RETENTION', 'POLICY')) return this.#policy('CREATE RETENTION POLICY');
    if (scanner.keywords('ALTER', 'RETENTION', 'POLICY')) return this.#policy('ALTER RETENTION POLICY');
    if (scanner.keywords('DROP', 'RETENTION', 'POLICY')) {
      const what = 'DROP RETENTION POLICY';
      const name = this.#name(what);
      return { what, name, database: this.#onDatabase(what) };
    }
    if (scanner.keywords('DROP', 'SERIES')) return this.#rows('DROP SERIES');
    return scanner.keywords('DELETE') ? this.#rows('DELETE') : undefined;
  }

  #createDatabase(): ChangeStatement {
    const what = 'CREATE DATABASE';
    const name = this.#name(what);
    const options = this.#scanner.keywords('WITH') ? this.#policyOptions(what) : undefined;
    const policy = options !== undefined && this.#scanner.keywords('NAME') ? this.#name(what) : undefined;
    return { what, name, policy, options: options ?? NO_OPTIONS };
  }

  #policy(what: 'CREATE RETENTION POLICY' | 'ALTER RETENTION POLICY'): ChangeStatement {
    const name = this.#name(what);
    const database = this.#onDatabase(what);
    const start = this.#scanner.blanks();
    const options = this.#policyOptions(what);
    if (what === 'CREATE RETENTION POLICY' && options.durationNs === undefined) throw this.#error(start, what, 'DURATION');
    if (this.#scanner.position === start) throw this.#error(start, what, 'DURATION, REPLICATION, SHARD, DEFAULT');
    return { what, name, database, options };
  }

  /** In any order. */
  #policyOptions(what: string): PolicyOptions {
    const scanner = this.#scanner;
    let options = NO_OPTIONS;
    for (;;) {
      if (scanner.keywords('DURATION')) options = { ...options, durationNs: this.#duration(what) };
      else if (scanner.keywords('REPLICATION')) options = { ...options, replicas: this.#replicas(what) };
      else if (scanner.keywords('SHARD', 'DURATION')) options = { ...options, shardDurationNs: this.#shardDuration(what) };
      else if (scanner.keywords('DEFAULT')) options = { ...options, isDefault: true };
      else return options;
    }
  }

  #replicas(what: string): number {
    const start = this.#scanner.blanks();
    const literal = this.#clauses.expressions.literal();
    if (literal?.kind === 'integer' && literal.value >= 1n && literal.value <= REPLICAS_MAX) return Number(literal.value);
    throw this.#error(start, what, `a replication factor from 1 to ${REPLICAS_MAX}`);
  }

  #shardDuration(what: string): bigint {
    const start = this.#scanner.blanks();
    const ns = this.#duration(what);
    if (ns === 'forever') {
      if (/^inf/i.test(this.#scanner.text.slice(start))) throw this.#error(start, what, 'a duration');
      return 0n;
    }
    return ns;
  }

  #duration(what: string): bigint | 'forever' {
    const start = this.#scanner.blanks();
    if (this.#scanner.keywords('INF')) return 'forever';
    const ns = this.#scanner.duration();
    if (ns !== undefined) return ns === 0n ? 'forever' : ns;
    throw this.#error(start, what, 'a duration or INF');
  }

  #rows(what: 'DROP SERIES' | 'DELETE'): ChangeStatement {
    const start = this.#scanner.blanks();
    const from = this.#scanner.keywords('FROM') ? this.#clauses.sources(false) : [];
    const where = this.#clauses.where();
    if (from.length === 0 && where === undefined) throw this.#error(start, what, 'FROM or WHERE');
    return { what, from, where };
  }

  #onDatabase(what: string): string {
    const start = this.#scanner.blanks();
    if (!this.#scanner.keywords('ON')) throw this.#error(start, what, 'ON');
    return this.#name(what);
  }

  #name(what: string): string {
    const start = this.#scanner.blanks();
    const name = this.#scanner.identifier();
    if (name === undefined) throw this.#error(start, what, 'identifier');
    return name;
  }

  #skipStatement(): void {
    STATEMENT_REST.lastIndex = this.#scanner.position;
    STATEMENT_REST.exec(this.#scanner.text);
    this.#scanner.position = STATEMENT_REST.lastIndex;
  }

  #error(offset: number, what: string, expected: string): Error {
    return parseError(this.#scanner.text, offset, `invalid ${what} statement, expected ${expected}`);
  }
}
