import type { CompiledSql, SqlCompileContext } from './contract.ts';
import type { QuotedColumns } from './env.ts';
import { SqlParser } from './parse/parser.ts';
import { compileStatement } from './statements.ts';

/** Compiles statements; keeps what it parsed. One per server. */
export class SqlCompiler {
  readonly #parser = new SqlParser();
  readonly #quoted: QuotedColumns = new WeakMap();

  /** Throws `InfluxError` with the texts and statuses of the SQL spec, sections 3 and 9. */
  async compile(text: string, context: SqlCompileContext): Promise<CompiledSql> {
    return compileStatement(await this.#parser.parse(text), context, { chars: text.length, quoted: this.#quoted });
  }
}

/** One statement through a compiler of its own. */
export async function compileSql(text: string, context: SqlCompileContext): Promise<CompiledSql> {
  return new SqlCompiler().compile(text, context);
}
