/** Text -> `Statement`: guard, library parser, gate, with caches of what was parsed. */
import { InfluxError, type TextPosition } from '../../../shared/errors.ts';
import { quotedText } from '../../quoted-text.ts';
import { notImplemented, planError, sqlError } from '../types/errors.ts';
import type { Statement } from './ast.ts';
import { guardQueryText } from './guard.ts';
import { isCrash, libraryInstances, type ParserLibrary } from './library.ts';
import { normalizeStatement } from './normalize-statement.ts';
import { listOf, type Raw } from './raw.ts';
import { type LiteralSplit, originalPosition, StatementTemplate, splitLiterals } from './template.ts';

/** Statements kept parsed. */
const cacheEntriesMax = 256;
/** Longer texts are not kept. */
const cachedTextCharsMax = 16_384;

/** Parses statements. Loads the library (about 100 ms, 10 MB) at the first use. */
export class SqlParser {
  readonly #statements = new RecentlyUsed<Statement>();
  /** By marked text; undefined = its literals are not all plain texts. */
  readonly #templates = new RecentlyUsed<{ readonly template: StatementTemplate | undefined }>();

  async parse(text: string): Promise<Statement> {
    const isKept = text.length <= cachedTextCharsMax;
    const split = isKept ? splitLiterals(text) : undefined;
    return (split && (await this.#filled(text, split))) ?? this.#whole(text, isKept);
  }

  /** Where a place of what `parse` returned for this text is in the text: it may have been parsed with marks in place of its literals. */
  positionIn(text: string, position: TextPosition): TextPosition {
    const split = text.length <= cachedTextCharsMax ? splitLiterals(text) : undefined;
    if (split === undefined || this.#templates.get(split.marked)?.template === undefined) return position;
    return originalPosition(text, split, position);
  }

  /** The statement from its template; undefined when there is none. */
  async #filled(text: string, { marked, literals }: LiteralSplit): Promise<Statement | undefined> {
    let known = this.#templates.get(marked);
    if (known === undefined) {
      guardQueryText(text);
      known = { template: await this.#template(marked, literals.length) };
      this.#templates.set(marked, known);
    }
    return known.template?.fill(literals);
  }

  async #template(marked: string, count: number): Promise<StatementTemplate | undefined> {
    const library = await libraryInstances.get();
    try {
      return StatementTemplate.of(parseWith(library, marked), count);
    } catch (error) {
      // The statement itself will say what is wrong, at the right place.
      if (error instanceof InfluxError && !isCrash(error.cause)) return undefined;
      throw error;
    }
  }

  async #whole(text: string, isKept: boolean): Promise<Statement> {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    guardQueryText(text);
    const statement = parseWith(await libraryInstances.get(), text);
    if (isKept) this.#statements.set(text, statement);
    return statement;
  }
}

function parseWith(library: ParserLibrary, text: string): Statement {
  try {
    return parseStatement(library, text);
  } catch (error) {
    if (!isCrash(error)) throw error;
    libraryInstances.giveUp(library);
    throw notImplemented('the statement is too complex for the parser', error);
  }
}

/** What was used last stays. */
class RecentlyUsed<T> {
  readonly #entries = new Map<string, T>();

  get(key: string): T | undefined {
    const known = this.#entries.get(key);
    if (known === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, known);
    return known;
  }

  set(key: string, value: T): void {
    if (this.#entries.size >= cacheEntriesMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#entries.set(key, value);
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
  const isParser = text.startsWith(parserPrefix);
  const failure = sqlError(
    isParser ? `ParserError(${quotedText(text.slice(parserPrefix.length))})` : `TokenizerError(${quotedText(text)})`,
  );
  const at = / at Line: (\d+), Column: (\d+)$/.exec(text);
  if (at !== null) failure.position = { line: Number(at[1]), column: Number(at[2]) };
  return failure;
}
