/** Text -> `Statement`: guard, library parser, gate, with a cache of what was parsed. */
import { notImplemented, planError, sqlError } from '../errors.ts';
import type { Statement } from './ast.ts';
import { guardQueryText } from './guard.ts';
import { isCrash, loadLibrary, type ParserLibrary } from './library.ts';
import { normalizeStatement } from './normalize-statement.ts';
import { listOf, type Raw } from './raw.ts';

/** Statements kept parsed. */
const cacheEntriesMax = 256;
/** Longer texts are not kept. */
const cachedTextCharsMax = 16_384;

/** Parses statements. Loads the library (about 100 ms, 10 MB) at the first use. */
export class SqlParser {
  readonly #cache = new Map<string, Statement>();
  #library: Promise<ParserLibrary> | undefined;
  #crashes = 0;

  async parse(text: string): Promise<Statement> {
    const known = this.#cache.get(text);
    if (known) {
      this.#cache.delete(text);
      this.#cache.set(text, known);
      return known;
    }
    guardQueryText(text);
    this.#library ??= loadLibrary(this.#crashes);
    const statement = this.#parseWith(await this.#library, text);
    if (text.length <= cachedTextCharsMax) this.#remember(text, statement);
    return statement;
  }

  #parseWith(library: ParserLibrary, text: string): Statement {
    try {
      return parseStatement(library, text);
    } catch (error) {
      if (!isCrash(error)) throw error;
      // a crashed instance answers nothing any more
      this.#crashes++;
      this.#library = undefined;
      throw notImplemented('the statement is too complex for the parser');
    }
  }

  #remember(text: string, statement: Statement): void {
    if (this.#cache.size >= cacheEntriesMax) {
      for (const oldest of this.#cache.keys()) {
        this.#cache.delete(oldest);
        break;
      }
    }
    this.#cache.set(text, statement);
  }
}

function parseStatement(library: ParserLibrary, text: string): Statement {
  let statements: readonly Raw[];
  try {
    statements = listOf(library.parse(text) as Raw);
  } catch (error) {
    throw isCrash(error) ? error : parserError(error);
  }
  if (statements.length === 0) throw planError('No SQL statements were provided in the query string');
  if (statements.length > 1) throw notImplemented('The context currently only supports a single SQL statement');
  return normalizeStatement(statements[0], () => library.format(text));
}

const parserPrefix = 'sql parser error: ';

function parserError(error: unknown): Error {
  const text = error instanceof Error ? error.message : String(error);
  if (text.includes('recursion limit exceeded')) return sqlError('RecursionLimitExceeded');
  if (text.startsWith(parserPrefix)) return sqlError(`ParserError(${debugQuote(text.slice(parserPrefix.length))})`);
  return sqlError(`TokenizerError(${debugQuote(text)})`);
}

/** Text as the reference's debug output quotes it. */
function debugQuote(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `"${escaped}"`;
}
