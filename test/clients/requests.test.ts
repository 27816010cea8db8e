import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { oneAnswer } from '../support/raw-exchange.ts';
import type { ClientRequest } from './client-request.ts';
import { CLIENT_REQUESTS } from './requests.ts';
import { sharedServer } from './support.ts';

const shared = sharedServer();

/** The bytes of a request. */
function bytesOf({ line, headers, body }: ClientRequest, token: string): Buffer {
  const basic = `Basic ${Buffer.from(`any:${token}`).toString('base64')}`;
  const fields: Record<string, string> = { Host: 'localhost:8086', ...headers };
  if (body !== undefined) fields['Content-Length'] = String(Buffer.byteLength(body));
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value === 'BASIC' ? basic : value.replace('TOKEN', token)}`);
  const head = `${line.replace('TOKEN', token)} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body ?? '')]);
}

describe('requests that clients send are answered as they ask', () => {
  for (const request of CLIENT_REQUESTS) {
    test(`${request.client}: ${request.what}`, async () => {
      const { server, token } = shared();
      const answer = await oneAnswer(Number(new URL(server.url).port), bytesOf(request, token));
      const body = answer.body.toString('utf8');
      assert.equal(answer.status, request.status, body);
      for (const [name, wanted] of Object.entries(request.answers ?? {})) {
        const value = answer.headers.get(name) ?? '';
        if (typeof wanted === 'string') assert.equal(value, wanted, name);
        else assert.match(value, wanted, name);
      }
      if (typeof request.text === 'string') assert.equal(body, request.text);
      else if (request.text !== undefined) assert.match(body, request.text);
    });
  }
});
