import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ObjectStoreError } from '../../../src/storage/index.ts';
import { BearerTokens } from '../../../src/storage/objects/bearer-tokens.ts';
import type { BucketService } from '../../../src/storage/objects/bucket-service.ts';
import { HttpObjectStore } from '../../../src/storage/objects/http-object-store.ts';
import { withRetries } from '../../../src/storage/objects/retries.ts';
import { answering } from '../../support/answering.ts';
import { CONNECTION } from '../../support/cloud-stores.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { until } from '../../support/until.ts';
import { temporaryDirectory } from './temp-directory.ts';

/** A store whose tokens come from `next`, of a service that takes everything; nothing is repeated. */
async function storeWith(t: TestContext, next: () => Promise<string>, requestTimeoutMs: number): Promise<HttpObjectStore> {
  const origin = await answering(t, (_request, response) => response.end('stored'));
  const tokens = new BearerTokens(async () => ({ token: await next(), untilMs: Number.POSITIVE_INFINITY }), CONNECTION.clock, 'no token');
  const request = { method: 'PUT', path: '/' } as const;
  const service = {
    ...{ origin, bucket: 'b', place: 'bucket', put: () => request, get: () => request, isStored: () => true },
    authorize: async () => ({ authorization: await tokens.authorization() }),
    renew: () => {
      tokens.forget();
      return true;
    },
  } as unknown as BucketService;
  const store = new HttpObjectStore(service, '', { ...CONNECTION, requestTimeoutMs, maxRetries: 0 });
  t.after(() => store.close());
  return store;
}

describe('requests to a bucket that wait for a token', () => {
  it('are over after the time of a request, and the next one asks for a token anew', async (t) => {
    const file = join(await temporaryDirectory(t), 'file');
    await writeFile(file, 'x');
    let asked = 0;
    const store = await storeWith(t, () => (++asked < 3 ? new Promise(() => undefined) : Promise.resolve('token')), 200);
    await assert.rejects(store.get('x'), { code: 'UNAVAILABLE', message: /no answer within 200 ms/ });
    await assert.rejects(store.putFile('x', file, 1), { code: 'UNAVAILABLE', message: /no answer within 200 ms/ });
    assert.equal(asked, 2);
    assert.equal(Buffer.from(await until(() => store.get('x'))).toString(), 'stored');
  });

  it('end when the store is closed', async (t) => {
    const store = await storeWith(t, () => new Promise(() => undefined), 3_600_000);
    const waiting = assert.rejects(store.get('x'));
    await new Promise(setImmediate);
    store.close();
    await waiting;
  });
});

it('a request that failed is not repeated after the store was closed in the pause before', async () => {
  const time = new FakeTime();
  const closing = new AbortController();
  let attempts = 0;
  const operation = async (): Promise<never> => {
    attempts++;
    throw new ObjectStoreError('UNAVAILABLE', 'no answer');
  };
  const policy = { maxRetries: 10, retryTimeoutMs: 60_000, clock: time, timers: time };
  const failed = assert.rejects(withRetries(policy, operation, closing.signal), /no answer/);
  await time.advance(0);
  closing.abort();
  await failed;
  assert.equal(attempts, 1);
});
