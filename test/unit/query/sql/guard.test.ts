// Runs alone: crashes the parser that all compilers of a process share.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { guardQueryText, queryCharsMax } from '../../../../src/query/sql/parse/guard.ts';
import { libraryInstances } from '../../../../src/query/sql/parse/library.ts';
import { SqlParser } from '../../../../src/query/sql/parse/parser.ts';

const chain = (count: number, link: string): string => `SELECT ${Array(count).fill('a=1').join(link)} FROM t`;
const tooLong = { message: 'This feature is not implemented: more than 400 chained operators', status: 405 };

describe('the guard', () => {
  test('lets chains of 400 links through and stops longer ones', () => {
    for (const link of [' or ', ' AND ', ' and not ']) {
      guardQueryText(chain(199, link));
      assert.throws(() => guardQueryText(chain(402, link)), tooLong);
    }
    guardQueryText(`SELECT ${'1+'.repeat(400)}1`);
    assert.throws(() => guardQueryText(`SELECT ${'1+'.repeat(401)}1`), tooLong);
    assert.throws(() => guardQueryText(`SELECT 1${'::int'.repeat(401)}`), tooLong);
    assert.throws(() => guardQueryText(`SELECT a${'[1]'.repeat(401)}`), tooLong);
  });

  test('counts chains one by one: commas, clauses and brackets start anew', () => {
    guardQueryText(`SELECT ${Array(1000).fill('a + b').join(', ')}`);
    guardQueryText(`SELECT a IN (${Array(5000).fill('-1').join(', ')})`);
    guardQueryText(`SELECT ${Array(300).fill('(a + b + c)').join(' + ')}`);
  });

  test('ignores what stands in strings, identifiers, comments and dollar quotes', () => {
    const noise = '+'.repeat(1000) + '('.repeat(100);
    guardQueryText(`SELECT '${noise}', "${noise}", $$${noise}$$, $t$${noise}$t$ /* ${noise} /* */ */ -- ${noise}`);
    guardQueryText(`SELECT E'\\'${noise}'`);
  });

  test('stops deep nesting with the text of InfluxDB 3 Core', () => {
    const limit = { message: 'SQL error: RecursionLimitExceeded', status: 400 };
    assert.throws(() => guardQueryText(`SELECT ${'('.repeat(60)}1${')'.repeat(60)}`), limit);
    assert.throws(() => guardQueryText(`SELECT ${'case when true then '.repeat(60)}1${' end'.repeat(60)}`), limit);
  });

  test('stops texts that are too long', () => {
    assert.throws(() => guardQueryText(' '.repeat(queryCharsMax + 1)), { status: 400 });
    assert.throws(() => guardQueryText(`SELECT ${'1,'.repeat(60_000)}1`), {
      message: 'Error during planning: query text exceeds 100000 tokens',
    });
  });

  test('what it lets through does not hurt the parser', async () => {
    const parser = new SqlParser();
    for (const text of [
      chain(399, ' or '),
      `SELECT 1${'::int'.repeat(399)}`,
      `SELECT ${'case when true then '.repeat(24)}1${' end'.repeat(24)}`,
      Array(150).fill('SELECT 1').join(' UNION ALL '),
      `SELECT a IN (${Array(20_000).fill('1').join(',')}) FROM t`,
    ]) {
      assert.equal((await parser.parse(text)).kind, 'query');
    }
    assert.equal((await parser.parse('SELECT 1')).kind, 'query');
  });

  test('a crashed parser is replaced', async () => {
    const library = await libraryInstances.get();
    assert.throws(() => library.parse(`SELECT 1${'::int'.repeat(3000)}`));
    const parser = new SqlParser();
    await assert.rejects(parser.parse('SELECT 1'), {
      message: 'This feature is not implemented: the statement is too complex for the parser',
    });
    assert.equal((await parser.parse('SELECT 1')).kind, 'query');
    await assert.rejects(parser.parse('selec'), {
      message: 'SQL error: ParserError("Expected: an SQL statement, found: selec at Line: 1, Column: 1")',
    });
  });

  test('compilers that meet the same crash share the next instance, however many crashes there were before', async () => {
    for (let crash = 0; crash < 2; crash++) {
      const library = await libraryInstances.get();
      assert.throws(() => library.parse(`SELECT 1${'::int'.repeat(3000)}`));
      const parsers = Array.from({ length: 20 }, () => new SqlParser());
      const met = await Promise.allSettled(parsers.map((parser) => parser.parse('SELECT 1')));
      assert.ok(met.some(({ status }) => status === 'rejected'));
      libraryInstances.giveUp(library);
      for (const parser of parsers) assert.equal((await parser.parse('SELECT 1')).kind, 'query');
    }
  });
});
