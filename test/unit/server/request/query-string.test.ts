import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeParams, formPairs, splitTarget } from '../../../../src/server/http/request/query-string.ts';
import { serdeError } from '../../../../src/server/http/response/errors.ts';

describe('request targets', () => {
  test('are split at the first question mark and not decoded', () => {
    const cases: [string, string, string | undefined][] = [
      ['/a', '/a', undefined],
      ['/a?', '/a', ''],
      ['/a?b?c=%20', '/a', 'b?c=%20'],
      ['/%61?x', '/%61', 'x'],
      ['http://host:1/a?b', '/a', 'b'],
      ['http://host', '/', undefined],
      ['*', '*', undefined],
    ];
    for (const [url, path, query] of cases) assert.deepEqual(splitTarget(url), { path, query }, url);
  });
});

describe('form encoding', () => {
  test('plus is a space, %XX a byte, the rest is literal', () => {
    assert.deepEqual(formPairs('a=b+c&d=%C3%BC&e=%zz&f&=g&a=%2B&'), [
      ['a', 'b c'],
      ['d', 'ü'],
      ['e', '%zz'],
      ['f', ''],
      ['', 'g'],
      ['a', '+'],
    ]);
    assert.deepEqual(formPairs('a=%ff'), [['a', '\ufffd']]);
    assert.deepEqual(formPairs('?a=1'), [['?a', '1']]);
  });

  test('raw UTF-8 bytes arrive as latin1 characters and are understood', () => {
    const raw = Buffer.from('q=ü🙂', 'utf8').toString('latin1');
    assert.deepEqual(formPairs(raw), [['q', 'ü🙂']]);
  });
});

describe('parameters', () => {
  const rules = {
    db: { kind: 'string', required: true },
    on: { kind: 'boolean' },
    unit: { kind: 'variant', variants: ['s', 'ms'] },
    q: { kind: 'string', required: true },
  } as const;

  test('values are read, unknown ones are ignored', () => {
    const params = decodeParams('db=a&q=&on=true&unit=ms&x=1&x=2&__proto__=1', rules, serdeError);
    assert.deepEqual(
      [...params],
      [
        ['db', 'a'],
        ['q', ''],
        ['on', 'true'],
        ['unit', 'ms'],
      ],
    );
  });

  test('value errors come in the order of the query, missing ones in the order of the rules', () => {
    const cases: [query: string, detail: string][] = [
      ['', 'missing field `db`'],
      ['db=a', 'missing field `q`'],
      ['unit=h&on=1', 'unknown variant `h`, expected one of `s`, `ms`'],
      ['on=1&unit=h', 'provided string was not `true` or `false`'],
      ['db=a&db=b&unit=h', 'duplicate field `db`'],
    ];
    for (const [query, detail] of cases) {
      assert.throws(() => decodeParams(query, rules, serdeError), { message: `serde error: ${detail}`, status: 400 });
    }
  });
});
