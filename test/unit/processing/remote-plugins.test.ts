import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { fetchPlugin } from '../../../src/processing/plugins/remote-plugins.ts';

describe('plugins of a repository', () => {
  it('are fetched with one slash between its address and their path, and refused with the reason', async (t) => {
    const repository = createServer((request, response) => {
      if (request.url === '/repo/a/b.py') response.end('x = 1 # ü');
      else if (request.url === '/repo/large.py') response.end(Buffer.alloc(16 * 1024 * 1024 + 1));
      else response.writeHead(404).end();
    }).listen(0, '127.0.0.1');
    t.after(() => void repository.close());
    await once(repository, 'listening');
    const url = `http://127.0.0.1:${(repository.address() as AddressInfo).port}/repo`;
    for (const address of [url, `${url}/`]) {
      assert.equal(await fetchPlugin(address, 'a/b.py'), 'x = 1 # ü');
      const missing = `error fetching plugin from repository: 404 Not Found ${url}/none.py`;
      await assert.rejects(fetchPlugin(address, 'none.py'), { message: missing });
    }
    await assert.rejects(fetchPlugin(url, 'large.py'), { message: /more than 16777216 bytes/ });
    await assert.rejects(fetchPlugin('http://127.0.0.1:1', 'a.py'), { message: 'error getting plugin from repository' });
  });
});
