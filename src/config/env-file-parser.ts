import type { Environment } from './resolve-options.ts';

/** A `.env` file that cannot be used; the message is the cause that the command line prints. */
export class EnvFileError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EnvFileError';
  }
}

/**
 * Parses the text of a `.env` file. Stricter than the usual library on purpose: a line that means
 * nothing stops the program, and `$NAME` is filled in from `environment`, then from earlier lines.
 * Throws `EnvFileError`.
 */
export function parseEnvText(content: string, environment: Environment): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of logicalLines(content.replace(/^\uFEFF/, ''))) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)$/s.exec(line);
    if (match !== null) {
      const [, name = '', rest = ''] = match;
      values[name] = new ValueReader(line, rest, (variable) => environment[variable] ?? values[variable] ?? '').read();
    } else if (!/^\s*(#.*)?$/.test(line)) {
      const key = /^\s*(?:export\s+)?(?:[A-Za-z_][A-Za-z0-9_.]*)?\s*/.exec(line)?.[0] ?? '';
      throw malformed(line, Buffer.byteLength(key));
    }
  }
  return values;
}

/** Lines, with quoted values that go over several lines in one piece. */
function logicalLines(content: string): string[] {
  const lines: string[] = [];
  let open = '';
  let pending: string | undefined;
  for (const line of content.split(/\r?\n/)) {
    const current = pending === undefined ? line : `${pending}\n${line}`;
    open = pending === undefined && /^\s*#/.test(line) ? '' : openQuote(line, open);
    if (open === '') lines.push(current);
    pending = open === '' ? undefined : current;
  }
  if (pending !== undefined) throw malformed(pending, Buffer.byteLength(pending));
  return lines;
}

/** The quote that is still open after `line`, given the one open before it; empty = none. */
function openQuote(line: string, before: string): string {
  let open = before;
  for (let index = 0; index < line.length; index += 1) {
    const char = line.charAt(index);
    if (open === '' && char === '#' && /\s/.test(line.charAt(index - 1))) return '';
    if (char === '\\' && open !== "'") index += 1;
    else if (open === '' && (char === '"' || char === "'")) open = char;
    else if (char === open) open = '';
  }
  return open;
}

class ValueReader {
  readonly #line: string;
  readonly #text: string;
  readonly #lookup: (name: string) => string;
  #at = 0;

  constructor(line: string, text: string, lookup: (name: string) => string) {
    this.#line = line;
    this.#text = text;
    this.#lookup = lookup;
  }

  read(): string {
    let value = '';
    for (; this.#at < this.#text.length; ) {
      const char = this.#text.charAt(this.#at);
      if (/\s/.test(char)) return this.#end(value);
      this.#at += 1;
      if (char === "'") value += this.#literal();
      else if (char === '"') value += this.#quoted();
      else if (char === '\\') value += this.#escape();
      else if (char === '$') value += this.#variable();
      else if (char === '#' && value === '' && this.#at === 1) return '';
      else value += char;
    }
    return value;
  }

  /** After the value only a comment may follow. */
  #end(value: string): string {
    if (/^\s*(#.*)?$/.test(this.#text.slice(this.#at))) return value;
    throw this.#malformed();
  }

  #literal(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end === -1) throw this.#malformed();
    const text = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return text;
  }

  #quoted(): string {
    let text = '';
    for (; this.#at < this.#text.length; ) {
      const char = this.#text.charAt(this.#at);
      this.#at += 1;
      if (char === '"') return text;
      if (char === '\\') text += this.#escape();
      else text += char === '$' ? this.#variable() : char;
    }
    throw this.#malformed();
  }

  #escape(): string {
    const char = this.#text.charAt(this.#at);
    if (!'\\\'"$ n'.includes(char) || char === '') throw this.#malformed();
    this.#at += 1;
    return char === 'n' ? '\n' : char;
  }

  #variable(): string {
    const match = /^(?:\{([A-Za-z_][A-Za-z0-9_.]*)\}|([A-Za-z_][A-Za-z0-9_]*))/.exec(this.#text.slice(this.#at));
    if (match === null) return '$';
    this.#at += match[0].length;
    return this.#lookup(match[1] ?? match[2] ?? '');
  }

  #malformed(): EnvFileError {
    const prefix = this.#line.slice(0, this.#line.length - this.#text.length + this.#at);
    return malformed(this.#line, Buffer.byteLength(prefix));
  }
}

function malformed(line: string, index: number): EnvFileError {
  return new EnvFileError(`Error parsing line: '${line}', error at line index: ${index}`);
}
