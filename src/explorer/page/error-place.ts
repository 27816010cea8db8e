/** A part of a text, in characters. */
export interface Place {
  readonly from: number;
  readonly to: number;
}

/** Line and column, both from 1, in characters. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** Where in a statement an error points: where the server says, else the line and column of its message, else the name that it complains about. */
export function errorPlace(statement: string, message: string, known?: TextPosition): Place | undefined {
  if (known !== undefined) return wordAt(statement, offsetOf(statement, known.line, known.column));
  const position = /\bline:? (\d+),? ?(?:column|col):? (\d+)/i.exec(message);
  if (position !== null) return wordAt(statement, offsetOf(statement, Number(position[1]), Number(position[2])));
  const at = /\bat (?:position|char|offset) (\d+)/i.exec(message);
  if (at !== null) return wordAt(statement, Math.max(0, Number(at[1]) - 1));
  const found = /found (?:token: )?([A-Za-z_]\w*)\b/.exec(message)?.[1];
  const names = [
    ...message.matchAll(/(?:No field named |table '|Invalid function '|not found: |function named '?|field )"?([\w$-]+(?:\.[\w$-]+)*)/gi),
  ].map((match) => match[1] ?? '');
  for (const name of [...names, ...(found === undefined ? [] : [found])]) {
    for (const candidate of [name, name.split('.').at(-1) ?? '']) {
      const index = candidate === '' ? -1 : statement.search(new RegExp(`(?<![\\w])${escaped(candidate)}(?![\\w])`, 'i'));
      if (index !== -1) return { from: index, to: index + candidate.length };
    }
  }
  return undefined;
}

function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n');
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const inLine = [...(lines[line - 1] ?? '')].slice(0, Math.max(0, column - 1)).join('');
  return Math.min(text.length, before + inLine.length);
}

function wordAt(text: string, offset: number): Place {
  const from = Math.min(offset, Math.max(0, text.length - 1));
  const word = /^(?:[\w.]+|"[^"]*"|'[^']*')/.exec(text.slice(from))?.[0] ?? text.slice(from, from + 1);
  return { from, to: from + Math.max(1, word.length) };
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
