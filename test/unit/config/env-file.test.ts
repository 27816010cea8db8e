import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseEnvText } from '../../../src/config/env-file-parser.ts';
import { withEnvFile } from '../../../src/config/index.ts';

describe('.env grammar', () => {
  for (const [text, expected] of [
    ['A=1', { A: '1' }],
    ['  export A = 1 # note', { A: '1' }],
    ['# A=1\n\nB=2\r\nC=3', { B: '2', C: '3' }],
    ['\uFEFFA=1', { A: '1' }],
    ['A=', { A: '' }],
    ['A= # only a note', { A: '' }],
    ["A='x $B \\n'", { A: 'x $B \\n' }],
    ['A="a\\nb \\"q\\" \\$x"', { A: 'a\nb "q" $x' }],
    ['A="line 1\nline 2"\nB=2', { A: 'line 1\nline 2', B: '2' }],
    ['A=1\nB=${A}2$A', { A: '1', B: '121' }],
    ['B=$HOME_X', { B: 'env' }],
    ['B=${MISSING}x', { B: 'x' }],
    ['A=a#b', { A: 'a#b' }],
    ['A="x"y', { A: 'xy' }],
    ['a.b_1=2', { 'a.b_1': '2' }],
    ["# it's fine\nA=1", { A: '1' }],
  ] as const) {
    it(`reads ${JSON.stringify(text)}`, () => assert.deepEqual(parseEnvText(text, { HOME_X: 'env' }), expected));
  }

  for (const text of ['very bacon = y', 'A', 'A=b c', '1A=2', 'A="open', "A='open", 'A="\\x"', '=1']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      const line = text.replace(/^export /, '');
      assert.throws(
        () => parseEnvText(text, {}),
        (error: Error) => error.message.startsWith(`Error parsing line: '${line}', error at line index: `),
      );
    });
  }

  it('names the byte where a line stops making sense', () => {
    assert.throws(() => parseEnvText('very bacon = y', {}), { message: "Error parsing line: 'very bacon = y', error at line index: 5" });
  });

  it('throws nothing but its own error, whatever the text', () => {
    const check = (text: string): boolean => {
      try {
        parseEnvText(text, {});
      } catch (error) {
        return error instanceof Error && error.name === 'EnvFileError';
      }
      return true;
    };
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[A=' "$\\{}\n#x]{0,20}$/)), check));
  });
});

describe('.env lookup', () => {
  const root = mkdtempSync(join(tmpdir(), 'env-'));
  const below = join(root, 'a', 'b');
  mkdirSync(below, { recursive: true });

  it('takes the nearest file at or above the folder; a folder of that name is skipped', (context) => {
    context.after(() => rmSync(root, { recursive: true }));
    writeFileSync(join(root, '.env'), 'X=top\nY=top\n');
    mkdirSync(join(below, '.env'));
    assert.deepEqual(withEnvFile({ Y: 'process' }, below), { X: 'top', Y: 'process' });
    writeFileSync(join(root, 'a', '.env'), 'X=near\n');
    assert.deepEqual(withEnvFile({ Y: 'process' }, below), { X: 'near', Y: 'process' });
  });
});
