/** Values of the SELECT list and conditions of WHERE. */

import { InfluxError } from '../../../shared/errors.ts';
import { quotedText } from '../../quoted-text.ts';
import type { BinaryExpr, BinaryOp, Cast, CompareOp, Expr, Literal } from '../compile/ir.ts';
import type { InfluxqlParam } from './ast.ts';
import { parseError } from './errors.ts';
import type { Scanner } from './scanner.ts';

const INT64_MAX = 2n ** 63n - 1n;
const UINT64_MAX = 2n ** 64n - 1n;

const CASTS: ReadonlySet<string> = new Set(['float', 'integer', 'unsigned', 'string', 'boolean', 'field', 'tag']);
const MULTIPLICATIVE: readonly BinaryOp[] = ['*', '/', '%', '&'];
const ADDITIVE: readonly BinaryOp[] = ['+', '-', '|', '^'];

/** Longest first, so that `<=` is not read as `<`. */
const COMPARISONS: readonly (readonly [string, CompareOp])[] = [
  ['!=', '!='],
  ['<>', '!='],
  ['<=', '<='],
  ['>=', '>='],
  ['=~', '=~'],
  ['!~', '!~'],
  ['=', '='],
  ['<', '<'],
  ['>', '>'],
];

/** Deeper nesting is refused, so that no text can exhaust the stack. */
const DEPTH_MAX = 200;

/** Conditions of a list of names, one `OR` after the other, are the longest that clients make. */
const OPERATORS_MAX = 5000;

/** Parses expressions; values of bind parameters are put in place at once. */
export class ExpressionParser {
  readonly #scanner: Scanner;
  readonly #params: ReadonlyMap<string, InfluxqlParam>;
  /** Start of the statement: where failures without a place of their own are told. */
  readonly #statementStart: number;
  #depth = 0;
  #operators = 0;

  constructor(scanner: Scanner, params: ReadonlyMap<string, InfluxqlParam>, statementStart: number) {
    this.#scanner = scanner;
    this.#params = params;
    this.#statementStart = statementStart;
  }

  /** An item of the SELECT list or an argument; undefined when none starts here. */
  value(): Expr | undefined {
    return this.#additive(() => this.#factor(() => this.value()));
  }

  /** A whole condition. */
  condition(): Expr {
    return this.#nested(() => {
      let left = this.#conjunction();
      while (this.#scanner.keywords('OR')) left = this.#joined('OR', left, this.#conjunction());
      return left;
    });
  }

  #conjunction(): Expr {
    let left = this.#comparison();
    while (this.#scanner.keywords('AND')) left = this.#joined('AND', left, this.#comparison());
    return left;
  }

  /** A long chain is a deep tree, which functions go down one call for each level. */
  #joined(op: BinaryExpr['op'], left: Expr, right: Expr): Expr {
    this.#operators++;
    if (this.#operators > OPERATORS_MAX) {
      throw parseError(this.#scanner.text, this.#scanner.position, `a statement can have at most ${OPERATORS_MAX} operators`);
    }
    return { kind: 'binary', op, left, right };
  }

  #comparison(): Expr {
    let left = this.#conditionOperand();
    for (let op = this.#comparisonOp(); op !== undefined; op = this.#comparisonOp()) {
      left = { kind: 'binary', op, left, right: this.#conditionOperand(op) };
    }
    return left;
  }

  #conditionOperand(op?: CompareOp): Expr {
    const start = this.#scanner.blanks();
    if (op === '=~' || op === '!~') {
      const source = this.#scanner.regex() ?? this.#boundRegex();
      if (source === undefined) throw parseError(this.#scanner.text, start, 'invalid conditional expression');
      return { kind: 'literal', literal: { kind: 'regex', source } };
    }
    if (this.#scanner.symbol('(')) return this.#parenthesised();
    const operand = this.value();
    if (operand === undefined) throw parseError(this.#scanner.text, start, 'invalid conditional expression');
    return operand;
  }

  /** `(a = 1 OR b = 2)`, or a value that begins with a parenthesis: `(a + 1) * 2`. Each text is read once. */
  #parenthesised(): Expr {
    const inner = this.condition();
    const end = this.#scanner.blanks();
    if (!this.#scanner.symbol(')')) throw parseError(this.#scanner.text, end, 'invalid conditional expression');
    if (isCondition(inner)) return inner;
    const factor = (): Expr | undefined => this.#factor(() => this.value());
    const product = this.#rest(MULTIPLICATIVE, inner, factor);
    return this.#rest(ADDITIVE, product, () => this.#chain(MULTIPLICATIVE, factor));
  }

  #boundRegex(): string | undefined {
    const start = this.#scanner.position;
    const name = this.#scanner.bindName();
    const value = name === undefined ? undefined : this.#params.get(name);
    if (value?.kind === 'string') return value.value;
    this.#scanner.position = start;
    return undefined;
  }

  #comparisonOp(): CompareOp | undefined {
    return COMPARISONS.find(([text]) => this.#scanner.symbol(text))?.[1];
  }

  #additive(factor: () => Expr | undefined): Expr | undefined {
    const left = this.#chain(MULTIPLICATIVE, factor);
    return left === undefined ? undefined : this.#rest(ADDITIVE, left, () => this.#chain(MULTIPLICATIVE, factor));
  }

  #chain(ops: readonly BinaryOp[], operand: () => Expr | undefined): Expr | undefined {
    const left = operand();
    return left === undefined ? undefined : this.#rest(ops, left, operand);
  }

  #rest(ops: readonly BinaryOp[], first: Expr, operand: () => Expr | undefined): Expr {
    let left = first;
    for (let op = this.#operator(ops); op !== undefined; op = this.#operator(ops)) {
      const start = this.#scanner.blanks();
      const right = operand();
      if (right === undefined) {
        const rest = quotedText(this.#scanner.text.slice(start));
        throw parseError(this.#scanner.text, this.#statementStart, 'invalid InfluxQL statement', `. Parsing Failure: Nom(${rest}, Char)`);
      }
      left = this.#joined(op, left, right);
    }
    return left;
  }

  #operator(ops: readonly BinaryOp[]): BinaryOp | undefined {
    return ops.find((op) => this.#scanner.symbol(op));
  }

  #factor(inner: () => Expr | undefined): Expr | undefined {
    return this.#nested(() => {
      if (this.#scanner.symbol('-')) return this.#negated();
      if (this.#scanner.symbol('+')) return this.#factor(inner);
      const start = this.#scanner.position;
      if (this.#scanner.symbol('(')) {
        const value = inner();
        if (value !== undefined && this.#scanner.symbol(')')) return value;
        this.#scanner.position = start;
        return undefined;
      }
      return this.#atom();
    });
  }

  #negated(): Expr | undefined {
    const operand = this.#factor(() => this.value());
    if (operand === undefined) return undefined;
    if (operand.kind === 'literal') {
      const negative = negate(operand.literal);
      if (negative !== undefined) return { kind: 'literal', literal: negative };
    }
    return { kind: 'binary', op: '*', left: { kind: 'literal', literal: { kind: 'integer', value: -1n } }, right: operand };
  }

  #atom(): Expr | undefined {
    const literal = this.literal();
    if (literal !== undefined) return { kind: 'literal', literal };
    if (this.#scanner.symbol('*')) return { kind: 'wildcard', only: this.#wildcardType() };
    if (this.#scanner.keywords('DISTINCT')) return this.#distinct();
    const name = this.#scanner.identifier();
    if (name === undefined) return undefined;
    if (this.#scanner.symbol('(')) return { kind: 'call', name: name.toLowerCase(), args: this.#args() };
    return this.#reference(name);
  }

  /** A constant or a bind parameter; undefined when none starts here. */
  literal(): Literal | undefined {
    const scanner = this.#scanner;
    const text = scanner.string();
    if (text !== undefined) return { kind: 'string', value: text };
    const source = scanner.regex();
    if (source !== undefined) return { kind: 'regex', source };
    const ns = scanner.duration();
    if (ns !== undefined) return { kind: 'duration', ns };
    const start = scanner.blanks();
    const number = scanner.number();
    if (number !== undefined) return numberLiteral(scanner.text, start, number);
    if (scanner.keywords('TRUE')) return { kind: 'boolean', value: true };
    if (scanner.keywords('FALSE')) return { kind: 'boolean', value: false };
    const bind = scanner.bindName();
    return bind === undefined ? undefined : this.#bound(bind);
  }

  #bound(name: string): Literal {
    const value = this.#params.get(name);
    if (value === undefined || value.kind === 'null') {
      throw new InfluxError({
        code: 'INFLUXQL_PLAN',
        message: `Bind parameter '$${name}' was referenced in the InfluxQL statement but its value is undefined`,
        status: 400,
      });
    }
    switch (value.kind) {
      case 'boolean':
        return { kind: 'boolean', value: value.value };
      case 'string':
        return { kind: 'string', value: value.value };
      case 'float64':
        return { kind: 'float', value: value.value };
      case 'duration':
        return value;
      default:
        return value.value > INT64_MAX ? { kind: 'unsigned', value: value.value } : { kind: 'integer', value: value.value };
    }
  }

  #distinct(): Expr {
    const start = this.#scanner.blanks();
    const parenthesis = this.#scanner.symbol('(');
    const name = this.#scanner.identifier();
    if (name === undefined || (parenthesis && !this.#scanner.symbol(')'))) {
      throw parseError(this.#scanner.text, start, 'invalid DISTINCT expression, expected identifier');
    }
    return { kind: 'call', name: 'distinct', args: [{ kind: 'ref', name, cast: undefined }] };
  }

  #args(): Expr[] {
    const args: Expr[] = [];
    if (this.#scanner.symbol(')')) return args;
    do {
      const start = this.#scanner.blanks();
      const arg = this.value();
      if (arg === undefined) throw parseError(this.#scanner.text, start, 'invalid call expression, expected argument');
      args.push(arg);
    } while (this.#scanner.symbol(','));
    const end = this.#scanner.blanks();
    if (!this.#scanner.symbol(')')) throw parseError(this.#scanner.text, end, "invalid call expression, expected ')'");
    return args;
  }

  #reference(first: string): Expr {
    let name = first;
    while (this.#scanner.text[this.#scanner.position] === '.') {
      this.#scanner.position++;
      name += `.${this.#scanner.identifier() ?? ''}`;
    }
    return { kind: 'ref', name, cast: this.#cast() };
  }

  #cast(): Cast | undefined {
    if (!this.#scanner.symbol('::')) return undefined;
    const start = this.#scanner.position;
    const word = CASTS_BY_KEYWORD.find((each) => this.#scanner.keywords(each.toUpperCase()));
    if (word !== undefined) return word;
    throw parseError(
      this.#scanner.text,
      start,
      'invalid data type for tag or field reference, expected float, integer, unsigned, string, boolean, field, tag',
    );
  }

  #wildcardType(): 'tag' | 'field' | undefined {
    if (!this.#scanner.symbol('::')) return undefined;
    if (this.#scanner.keywords('TAG')) return 'tag';
    if (this.#scanner.keywords('FIELD')) return 'field';
    throw parseError(this.#scanner.text, this.#scanner.position, 'invalid wildcard type specifier, expected TAG or FIELD');
  }

  #nested<T>(parse: () => T): T {
    if (this.#depth >= DEPTH_MAX) throw parseError(this.#scanner.text, this.#scanner.position, 'expression is nested too deeply');
    this.#depth++;
    try {
      return parse();
    } finally {
      this.#depth--;
    }
  }
}

const CASTS_BY_KEYWORD = [...CASTS] as readonly Cast[];

function isCondition(expr: Expr): boolean {
  return expr.kind === 'binary' && (expr.op === 'AND' || expr.op === 'OR' || COMPARISONS.some(([, op]) => op === expr.op));
}

function negate(literal: Literal): Literal | undefined {
  switch (literal.kind) {
    case 'integer':
      return { kind: 'integer', value: -literal.value };
    case 'unsigned':
      return literal.value === 2n ** 63n ? { kind: 'integer', value: -literal.value } : undefined;
    case 'float':
      return { kind: 'float', value: -literal.value };
    case 'duration':
      return { kind: 'duration', ns: -literal.ns };
    default:
      return undefined;
  }
}

function numberLiteral(text: string, start: number, number: string): Literal {
  if (number.includes('.')) return { kind: 'float', value: Number(number) };
  const value = BigInt(number);
  if (value > UINT64_MAX) throw parseError(text, start, 'unable to parse unsigned integer');
  return value > INT64_MAX ? { kind: 'unsigned', value } : { kind: 'integer', value };
}
