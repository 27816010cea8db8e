/** The parser library: WebAssembly, loaded when it is first needed. */
import { readFile } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';

/** Part of Node.js that its types do not mention. */
declare const WebAssembly: { compile(bytes: Uint8Array): Promise<object> };

/** What the compiler needs of it. Both throw errors that carry the parser's message. */
export interface ParserLibrary {
  parse(sql: string): unknown;
  format(sql: string): string;
}

/** Fresh instances that one process makes; each costs some 10 MB that cannot be given back. */
const freshInstancesMax = 8;

/** Compiles all functions on other threads; by itself Node.js compiles each at its first call, on this one. */
function compileWhole(bytes: Uint8Array): Promise<object> {
  setFlagsFromString('--no-wasm-lazy-compilation');
  try {
    return WebAssembly.compile(bytes);
  } finally {
    setFlagsFromString('--wasm-lazy-compilation');
  }
}

/** The functions of the package's generated glue code. */
interface Glue {
  default(options: { module_or_path: object }): Promise<unknown>;
  parse_sql(dialect: string, sql: string): unknown;
  format_sql(dialect: string, sql: string): string;
}

/** The parser's instance in use, and how many before it have crashed; the guard makes this rare. */
class LibraryInstances {
  #loading: Promise<ParserLibrary> | undefined;
  #loaded: ParserLibrary | undefined;
  #crashed = 0;

  get(): Promise<ParserLibrary> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<ParserLibrary> {
    try {
      this.#loaded = await loadLibrary(this.#crashed);
      return this.#loaded;
    } catch (error) {
      // the next statement tries again
      this.#loading = undefined;
      throw error;
    }
  }

  /** A crashed instance answers nothing any more: the next statement gets a fresh one. Whoever else met the same crash changes nothing. */
  giveUp(library: ParserLibrary): void {
    if (this.#loaded !== library) return;
    this.#crashed++;
    this.#loaded = undefined;
    this.#loading = undefined;
  }
}

/**
 * Shared by: all compilers of the process. One for the process, because the module that holds an instance is: an import is
 * made once. Safe because a call of the parser is one synchronous step, and an instance is given up once.
 */
export const libraryInstances = new LibraryInstances();

/**
 * An instance of the parser. Its code is compiled on other threads: the package's own way of starting holds everything up
 * for a tenth of a second.
 * @param crashes instances of this process that have crashed before
 */
async function loadLibrary(crashes: number): Promise<ParserLibrary> {
  if (crashes > freshInstancesMax) throw new Error('the SQL parser crashed too often');
  const entry = import.meta.resolve('@guanmingchiu/sqlparser-ts');
  const glueUrl = new URL('../wasm/sqlparser_rs_wasm.js', entry);
  if (crashes > 0) glueUrl.search = `?instance=${crashes}`;
  const glue = (await import(glueUrl.href)) as Glue;
  const code = await compileWhole(await readFile(new URL('../wasm/sqlparser_rs_wasm_bg.wasm', entry)));
  await glue.default({ module_or_path: code });
  return {
    parse: (sql) => withError(() => glue.parse_sql('generic', sql)),
    format: (sql) => withError(() => glue.format_sql('generic', sql)),
  };
}

function withError<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error) throw error;
    throw new Error(messageOf(error), { cause: error });
  }
}

function messageOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string') return error.message;
  return String(error);
}

/** True for failures of the instance itself, as opposed to syntax errors. */
export function isCrash(error: unknown): boolean {
  const text = error instanceof Error ? error.message : '';
  return /^(memory access out of bounds|unreachable|Maximum call stack size exceeded|.*recursive use of an object)/.test(text);
}
