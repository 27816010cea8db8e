import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asciiTarget } from '../../../../src/server/http/transport/utf8-target.ts';

const REST = 'Host: ä\r\n\r\nä';

test('bytes above ASCII in the request line become escapes, the connection ends with the answer, the rest stays as it is', () => {
  const sent = Buffer.from(`GET /query?q=SELECT+"ä€" HTTP/1.1\r\n${REST}`);
  assert.equal(asciiTarget(sent).toString(), `GET /query?q=SELECT+"%C3%A4%E2%82%AC" HTTP/1.1\r\nConnection: close\r\n${REST}`);
});

test('other first bytes stay what they are', () => {
  for (const text of [
    `GET /query HTTP/1.1\r\n${REST}`,
    'GET /ä',
    `GET /ä b HTTP/1.1\r\n${REST}`,
    `GET /ä HTTP/2.0\r\n${REST}`,
    `ä /a HTTP/1.1\r\n${REST}`,
    `GET /ä\t HTTP/1.1\r\n${REST}`,
  ]) {
    const sent = Buffer.from(text);
    assert.equal(asciiTarget(sent), sent, text);
  }
});
