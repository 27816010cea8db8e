import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RAW_BYTES_MAX, readRawHead } from '../../../../../src/server/http/transport/raw/raw-request.ts';

const LINE = 'POST /api/v3/write_lp?db=d HTTP/1.1\r\n';

function head(text: string): ReturnType<typeof readRawHead> {
  return readRawHead(Buffer.from(text, 'latin1'));
}

describe('heads of plain writes', () => {
  test('target, path, fields and where the body is', () => {
    const text = `${LINE}Host: a:1\r\nUser-Agent: x/1 (y)\r\nAUTHORIZATION: Bearer t\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\n`;
    const read = head(`${text}m f=1`);
    assert.deepEqual(
      [read?.target, read?.path, read?.headers.authorization, read?.headers['content-encoding'], read?.bodyStart, read?.end],
      ['/api/v3/write_lp?db=d', '/api/v3/write_lp', 'Bearer t', undefined, text.length, text.length + 5],
    );
    assert.equal(head(`${LINE}host:a\r\ncontent-length:0\r\ncontent-encoding:gzip\r\n\r\n`)?.headers['content-encoding'], 'gzip');
  });

  test('a body may be missing or too long: the caller compares', () => {
    const text = `${LINE}host: a\r\ncontent-length: 3\r\n\r\n`;
    assert.equal(head(text)?.end, text.length + 3);
    assert.equal(head(`${text}abcdef`)?.end, text.length + 3);
  });

  const odd: readonly (readonly [what: string, text: string])[] = [
    ['another method', 'GET /write?db=d HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['HTTP/1.0', 'POST /write HTTP/1.0\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['a lower-case version', 'POST /write http/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['two blanks', 'POST  /write HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['a blank line first', `\r\n${LINE}host: a\r\ncontent-length: 0\r\n\r\n`],
    ['an absolute target', 'POST http://a/write HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['a fragment', 'POST /write#x HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['a target that is not ASCII', 'POST /write?db=\xe4 HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['no host', `${LINE}content-length: 0\r\n\r\n`],
    ['two hosts', `${LINE}host: a\r\nhost: a\r\ncontent-length: 0\r\n\r\n`],
    ['no length', `${LINE}host: a\r\n\r\n`],
    ['two lengths', `${LINE}host: a\r\ncontent-length: 1\r\nContent-Length: 1\r\n\r\nx`],
    ['a list as length', `${LINE}host: a\r\ncontent-length: 1, 1\r\n\r\nx`],
    ['a signed length', `${LINE}host: a\r\ncontent-length: +1\r\n\r\nx`],
    ['a hexadecimal length', `${LINE}host: a\r\ncontent-length: 0x1\r\n\r\nx`],
    ['a tab behind the length', `${LINE}host: a\r\ncontent-length: 1\t\r\n\r\nx`],
    ['a blank behind the length', `${LINE}host: a\r\ncontent-length: 1 \r\n\r\nx`],
    ['two blanks before a value', `${LINE}host:  a\r\ncontent-length: 0\r\n\r\n`],
    ['a tab in a value', `${LINE}host: a\r\nx: a\tb\r\ncontent-length: 0\r\n\r\n`],
    ['a length with a leading zero', `${LINE}host: a\r\ncontent-length: 01\r\n\r\nx`],
    ['an empty host', `${LINE}host:\r\ncontent-length: 0\r\n\r\n`],
    ['a quote in the target', 'POST /write?db="d" HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n'],
    ['many fields', `${LINE}host: a\r\ncontent-length: 0\r\n${'a:\r\n'.repeat(99)}\r\n`],
    ['an empty length', `${LINE}host: a\r\ncontent-length:\r\n\r\n`],
    ['a chunked body', `${LINE}host: a\r\ntransfer-encoding: chunked\r\ncontent-length: 1\r\n\r\nx`],
    ['a transfer encoding in other letters', `${LINE}host: a\r\nTransfer-encoding: identity\r\ncontent-length: 1\r\n\r\nx`],
    ['a client that waits for leave', `${LINE}host: a\r\nexpect: 100-continue\r\ncontent-length: 1\r\n\r\n`],
    ['an upgrade', `${LINE}host: a\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 0\r\n\r\n`],
    ['trailers', `${LINE}host: a\r\nte: trailers\r\ncontent-length: 0\r\n\r\n`],
    ['a connection that ends', `${LINE}host: a\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`],
    ['a connection with options', `${LINE}host: a\r\nconnection: keep-alive, x\r\ncontent-length: 0\r\n\r\n`],
    ['two tokens', `${LINE}host: a\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\ncontent-length: 0\r\n\r\n`],
    ['a blank before the colon', `${LINE}host: a\r\ncontent-length : 1\r\n\r\nx`],
    ['a folded line', `${LINE}host: a\r\nx: 1\r\n 2\r\ncontent-length: 0\r\n\r\n`],
    ['a line without a colon', `${LINE}host: a\r\nx\r\ncontent-length: 0\r\n\r\n`],
    ['a field without a name', `${LINE}host: a\r\n: 1\r\ncontent-length: 0\r\n\r\n`],
    ['a bare line feed', `${LINE}host: a\nx: 1\r\ncontent-length: 0\r\n\r\n`],
    ['a bare carriage return', `${LINE}host: a\rx: 1\r\ncontent-length: 0\r\n\r\n`],
    ['a line feed inside the last line end', `${LINE}host: a\r\ncontent-length: 0\n\r\n\r\n`],
    ['a zero byte', `${LINE}host: a\r\nx: \0\r\ncontent-length: 0\r\n\r\n`],
    ['a value that is not ASCII', `${LINE}host: a\r\nx: \xe4\r\ncontent-length: 0\r\n\r\n`],
    ['half a head', `${LINE}host: a\r\ncontent-length: 0\r\n`],
    ['nothing', ''],
    ['a long head', `${LINE}host: a\r\nx: ${'y'.repeat(8200)}\r\ncontent-length: 0\r\n\r\n`],
    ['a long body', `${LINE}host: a\r\ncontent-length: ${RAW_BYTES_MAX}\r\n\r\n`],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ];
  for (const [what, text] of odd) {
    test(`${what} is left to node:http`, () => assert.equal(head(text), undefined));
  }
});
