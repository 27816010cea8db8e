import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type JsonNode, JsonTextError, parseJsonText } from '../../../../src/server/http/request/json-text.ts';

function plain(node: JsonNode): unknown {
  switch (node.kind) {
    case 'null':
      return null;
    case 'boolean':
    case 'string':
      return node.value;
    case 'number':
      return Number(node.text);
    case 'array':
      return node.items.map(plain);
    case 'object':
      return Object.fromEntries(node.members.map((member) => [member.name, plain(member.value)]));
  }
}

describe('JSON text', () => {
  test('agrees with the platform on every valid text', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        assert.deepEqual(plain(parseJsonText(text)), JSON.parse(text));
      }),
    );
  });

  test('refuses what the platform refuses, with a position', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '1',
      '-',
      '0',
      '.',
      'e',
      '1.5e3',
      'true',
      'nul',
      ' ',
      '\n',
      '\\',
      '\\u12',
      '\t',
      'x',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        let expected: unknown;
        try {
          expected = JSON.parse(text);
        } catch {
          assert.throws(
            () => parseJsonText(text),
            (error) => error instanceof JsonTextError && / at line \d+ column \d+$/.test(error.message),
          );
          return;
        }
        if (holdsInfinity(expected))
          assert.throws(() => parseJsonText(text), /^JsonTextError: number out of range at line \d+ column \d+$/);
        else assert.deepEqual(plain(parseJsonText(text)), expected);
      }),
      { numRuns: 2000, examples: [[['1.5e3', '1', '1']], [['[', '-1.5e3', '9', '9', ']']]] },
    );
  });

  test('numbers keep their digits', () => {
    const node = parseJsonText('[18446744073709551615,-0,1.50]');
    assert.ok(node.kind === 'array');
    assert.deepEqual(
      node.items.map((item) => (item.kind === 'number' ? item.text : undefined)),
      ['18446744073709551615', '-0', '1.50'],
    );
  });

  test('words and places of refusals', () => {
    const cases: [text: string, message: string][] = [
      ['', 'EOF while parsing a value at line 1 column 0'],
      ['\n\n  ', 'EOF while parsing a value at line 3 column 2'],
      ['[1', 'EOF while parsing a list at line 1 column 2'],
      ['[1 2]', 'expected `,` or `]` at line 1 column 4'],
      ['[1,]', 'trailing comma at line 1 column 4'],
      ['{"a":1 "b"', 'expected `,` or `}` at line 1 column 8'],
      ['{"a"}', 'expected `:` at line 1 column 5'],
      ['{"ü": x}', 'expected value at line 1 column 8'],
      ['01', 'invalid number at line 1 column 2'],
      ['1.x', 'invalid number at line 1 column 3'],
      ['-', 'EOF while parsing a value at line 1 column 1'],
      ['1e400', 'number out of range at line 1 column 5'],
      ['"\\x"', 'invalid escape at line 1 column 3'],
      ['"\\ud800"', 'unexpected end of hex escape at line 1 column 7'],
      ['"\\udc00"', 'lone leading surrogate in hex escape at line 1 column 7'],
      ['"a\nb"', 'control character (\\u0000-\\u001F) found while parsing a string at line 2 column 0'],
      ['tru', 'EOF while parsing a value at line 1 column 3'],
      ['trux', 'expected ident at line 1 column 4'],
      ['1 1', 'trailing characters at line 1 column 3'],
      ['['.repeat(128), 'recursion limit exceeded at line 1 column 128'],
    ];
    for (const [text, message] of cases) assert.throws(() => parseJsonText(text), { message }, text.slice(0, 20));
  });
});

/** The platform takes numbers that are too large for infinite; they are refused here. */
function holdsInfinity(value: unknown): boolean {
  if (typeof value === 'number') return !Number.isFinite(value);
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsInfinity);
}
