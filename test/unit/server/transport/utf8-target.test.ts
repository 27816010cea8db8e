import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withAsciiTarget } from '../../../../src/server/http/transport/utf8-target.ts';

const REST = 'Host: ä\r\n\r\nä';

/** What `node:http` says when it meets the first byte above ASCII of a text that came in one piece. */
function refusal(text: string): Parameters<typeof withAsciiTarget>[0] {
  const rawPacket = Buffer.from(text);
  return { code: 'HPE_INVALID_URL', rawPacket, bytesParsed: rawPacket.findIndex((byte) => byte > 0x7f) };
}

const READ = `GET /query?q=SELECT+"%C3%A4%E2%82%AC" HTTP/1.1\r\nConnection: close\r\n${REST}`;

test('bytes above ASCII in the request line become escapes, the connection ends with the answer, the rest stays as it is', () => {
  const sent = `GET /query?q=SELECT+"ä€" HTTP/1.1\r\n${REST}`;
  assert.equal(withAsciiTarget(refusal(sent))?.toString(), READ);
  const before = 'GET /ping HTTP/1.1\r\nHost: a\r\n\r\n';
  assert.equal(withAsciiTarget(refusal(before + sent))?.toString(), READ, 'behind another request');
  assert.equal(withAsciiTarget(refusal(`m f=1${sent}`))?.toString(), READ, 'behind a body');
});

test('nothing else is read again', () => {
  for (const text of [
    'GET /ä',
    `GET /ä b HTTP/1.1\r\n${REST}`,
    `GET /ä HTTP/2.0\r\n${REST}`,
    `/ä HTTP/1.1\r\n${REST}`,
    ` /ä HTTP/1.1\r\n${REST}`,
    `LINK /ä HTTP/1.1\r\n${REST}`,
    `GET /ä\t HTTP/1.1\r\n${REST}`,
  ]) {
    assert.equal(withAsciiTarget(refusal(text)), undefined, text);
  }
  const whole = refusal(`GET /ä HTTP/1.1\r\n${REST}`);
  assert.equal(withAsciiTarget({ ...whole, code: 'HPE_INVALID_METHOD' }), undefined);
  assert.equal(withAsciiTarget({ code: 'HPE_INVALID_URL' }), undefined);
});
