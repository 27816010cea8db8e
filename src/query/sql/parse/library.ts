/** The parser library: WebAssembly, loaded when it is first needed. */
import { readFile } from 'node:fs/promises';

/** What the compiler needs of it. Both throw errors that carry the parser's message. */
export interface ParserLibrary {
  parse(sql: string): unknown;
  format(sql: string): string;
}

/** Fresh instances that one process makes; each costs some 10 MB that cannot be given back. */
const freshInstancesMax = 8;

/** The package's own instance. Takes about 100 ms the first time. */
export async function sharedLibrary(): Promise<ParserLibrary> {
  const library = await import('@guanmingchiu/sqlparser-ts');
  await library.init();
  return { parse: (sql) => library.parse(sql, 'generic'), format: (sql) => library.format(sql, 'generic') };
}

/** The functions of the package's generated glue code. */
interface Glue {
  default(options: { module_or_path: Uint8Array }): Promise<unknown>;
  parse_sql(dialect: string, sql: string): unknown;
  format_sql(dialect: string, sql: string): string;
}

/** A new instance, after the one before has crashed. The guard makes this rare. */
export async function freshLibrary(crashes: number): Promise<ParserLibrary> {
  if (crashes > freshInstancesMax) throw new Error('the SQL parser crashed too often');
  const entry = import.meta.resolve('@guanmingchiu/sqlparser-ts');
  const glueUrl = new URL('../wasm/sqlparser_rs_wasm.js', entry);
  glueUrl.search = `?instance=${crashes}`;
  const glue = (await import(glueUrl.href)) as Glue;
  await glue.default({ module_or_path: await readFile(new URL('../wasm/sqlparser_rs_wasm_bg.wasm', entry)) });
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
