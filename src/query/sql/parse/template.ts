/**
 * Statements that differ in their text literals only, as the times and names of a dashboard's panels do, are parsed once:
 * the parser sees marks in place of the literals, and each statement gets its own literals put where the marks were.
 */
import type { TextPosition } from '../../../shared/errors.ts';
import type { Statement } from './ast.ts';
import { offsetOf, positionOf } from './text-place.ts';

/** A text cut at its free literals: those that come after a comparison, a comma or an opening bracket. */
export interface LiteralSplit {
  /** The text with a mark for each free literal; equal for statements that differ in nothing else. */
  readonly marked: string;
  readonly literals: readonly string[];
}

/** Literals with other characters stay where they are, so that no rule of the parser about them is in question. */
const plainLiteral = /^[ !#-&(-[\]-~]*$/;

/** Comments, escapes and other forms of quotes: rare, and their literals are not as easily seen. */
const unusual = /--|\/\*|[$`\\[]/;

const quoted = /"(?:[^"]|"")*"|'(?:[^']|'')*'/g;

const MARK = 'literal ';

function mark(index: number): string {
  return `${MARK}${index}`;
}

/** Undefined when there is nothing to split, or the text has forms that are not looked into. */
export function splitLiterals(text: string): LiteralSplit | undefined {
  if (unusual.test(text)) return undefined;
  const literals: string[] = [];
  let marked = '';
  let from = 0;
  for (const { 0: token, index } of text.matchAll(quoted)) {
    const literal = token.slice(1, -1);
    if (token[0] !== "'" || !plainLiteral.test(literal) || !isFree(text, index)) continue;
    marked += `${text.slice(from, index)}'${mark(literals.length)}'`;
    from = index + token.length;
    literals.push(literal);
  }
  return literals.length === 0 ? undefined : { marked: marked + text.slice(from), literals };
}

/** A place of the marked text in the text that was marked. */
export function originalPosition(text: string, { marked, literals }: LiteralSplit, position: TextPosition): TextPosition {
  const offset = offsetOf(marked, position);
  let shift = 0;
  for (const [index, literal] of literals.entries()) {
    if (marked.indexOf(`'${mark(index)}'`) >= offset) break;
    shift += literal.length - mark(index).length;
  }
  return positionOf(text, offset + shift);
}

/** Behind a word a literal may be part of an interval, a typed literal or an escape clause. */
function isFree(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && text.charCodeAt(before) <= 0x20) before--;
  return before >= 0 && '=<>(,'.includes(text[before] as string);
}

type Node = Readonly<Record<string, unknown>>;

/** A parsed statement whose marks are known. */
export class StatementTemplate {
  readonly #statement: Statement;
  /** The node of each mark, and every node above one. */
  readonly #marks: ReadonlyMap<Node, number>;
  readonly #above: ReadonlySet<unknown>;

  private constructor(statement: Statement, marks: ReadonlyMap<Node, number>, above: ReadonlySet<unknown>) {
    this.#statement = statement;
    this.#marks = marks;
    this.#above = above;
  }

  /** Undefined unless each of `count` marks is a text of its own in the statement, and nothing else. */
  static of(statement: Statement, count: number): StatementTemplate | undefined {
    const indexes = new Map(Array.from({ length: count }, (_, i): [string, number] => [mark(i), i]));
    const marks = new Map<Node, number>();
    const above = new Set<unknown>();
    let texts = 0;
    const visit = (node: unknown): boolean => {
      if (typeof node === 'string') {
        if (node.includes(MARK)) texts++;
        return false;
      }
      if (typeof node !== 'object' || node === null) return false;
      const { kind, value } = node as Node;
      const index = kind === 'string' && typeof value === 'string' ? indexes.get(value) : undefined;
      if (index !== undefined) marks.set(node as Node, index);
      let found = index !== undefined;
      for (const child of childrenOf(node)) if (visit(child)) found = true;
      if (found) above.add(node);
      return found;
    };
    visit(statement);
    const isComplete = marks.size === count && texts === count && new Set(marks.values()).size === count;
    return isComplete ? new StatementTemplate(statement, marks, above) : undefined;
  }

  /** The statement with these literals; what has none is shared with the template. */
  fill(literals: readonly string[]): Statement {
    const filled = (node: unknown): unknown => {
      if (!this.#above.has(node)) return node;
      const index = this.#marks.get(node as Node);
      if (index !== undefined) return { ...(node as Node), value: literals[index] };
      if (Array.isArray(node)) return node.map(filled);
      if (node instanceof Map) return new Map([...node].map(([key, value]) => [key, filled(value)]));
      const copy: Record<string, unknown> = { ...(node as Node) };
      for (const key in copy) copy[key] = filled(copy[key]);
      return copy;
    };
    return filled(this.#statement) as Statement;
  }
}

function childrenOf(node: object): Iterable<unknown> {
  return node instanceof Map ? [...node.keys(), ...node.values()] : Object.values(node);
}
