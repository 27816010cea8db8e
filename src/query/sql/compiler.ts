import { InfluxError } from '../../shared/errors.ts';
import { nextTurn } from '../../shared/timers.ts';
import { SqlParser } from './parse/parser.ts';
import { compileStatement } from './statements.ts';
import type { CompiledSql, SqlCompileContext } from './types/contract.ts';
import type { QuotedColumns } from './types/env.ts';

/** Use the parts of the compiler that most statements use. */
const WARM_UP = [
  'SELECT 1',
  "WITH t AS (SELECT now() AS time, 'a' AS k, 1.5 AS v) SELECT date_bin(INTERVAL '1 minute', time) AS m, k, max(v), avg(v) FROM t WHERE k = 'a' AND time >= '2024-01-01T00:00:00Z' AND time < now() GROUP BY m, k ORDER BY m DESC LIMIT 10",
  "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS t (n, k) WHERE k IN ('a', 'b') AND n BETWEEN 1 AND 2 OR n IS NULL ORDER BY n",
];

/** Compiles statements; keeps what it parsed. One per server. */
export class SqlCompiler {
  readonly #parser = new SqlParser();
  readonly #quoted: QuotedColumns = new WeakMap();

  /** Loads the parser and lets it work once, so that the first statement of a user need not wait for it. */
  async warmUp(): Promise<void> {
    const nothing = { database: '', nowNs: 0n, params: new Map(), relation: () => undefined };
    for (const text of WARM_UP) {
      await this.compile(text, nothing);
      await nextTurn();
    }
  }

  /** Throws `InfluxError` with the texts and statuses that DataFusion and InfluxDB 3 Core give. */
  async compile(text: string, context: SqlCompileContext): Promise<CompiledSql> {
    const statement = await this.#parser.parse(text);
    try {
      return compileStatement(statement, context, { chars: text.length, quoted: this.#quoted });
    } catch (error) {
      if (error instanceof InfluxError && error.position !== undefined) error.position = this.#parser.positionIn(text, error.position);
      throw error;
    }
  }
}
