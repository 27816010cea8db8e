import assert from 'node:assert/strict';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type BodySource, withBody } from '../../../../src/server/http/request/body.ts';
import { BodyMemory } from '../../../../src/server/http/request/body-memory.ts';
import { youngCollector } from '../../../../src/server/http/request/young-collector.ts';
import { until } from '../../../support/until.ts';

const MB = 1024 * 1024;

function request(body: Buffer, headers: Record<string, string> = {}): BodySource {
  const pieces: Buffer[] = [];
  for (let at = 0; at < body.length; at += 50_000) pieces.push(body.subarray(at, at + 50_000));
  const stream: unknown = Object.assign(Readable.from(pieces), { headers: { 'content-length': String(body.length), ...headers } });
  return stream as BodySource;
}

test('bodies use the memory of bodies before them, in whatever way those ended', async () => {
  const memory = new BodyMemory(() => {});
  const used = new Set<ArrayBufferLike>();
  for (const [i, fails] of [true, false, true].entries()) {
    const sent = Buffer.alloc(300_000 - i * 1000, `body ${i} `);
    const read = withBody(request(sent), { maxBytes: MB, memory }, async (body) => {
      used.add(body.buffer);
      assert.ok(body.equals(sent));
      assert.equal(memory.keptBytes, 0);
      if (fails) throw new Error('refused');
    });
    await (fails ? assert.rejects(read, /refused/) : read);
  }
  assert.equal(used.size, 1);
  assert.equal(memory.keptBytes, 512 * 1024);
});

test('two bodies at a time have memory of their own', async () => {
  const memory = new BodyMemory(() => {});
  const [a, b] = [Buffer.alloc(200_000, 'a'), Buffer.alloc(200_000, 'b')];
  await withBody(request(a), { maxBytes: MB, memory }, async (first) => {
    await withBody(request(b), { maxBytes: MB, memory }, async (second) => {
      assert.ok(first.equals(a));
      assert.ok(second.equals(b));
    });
  });
});

test('the memory of a zipped body is free as soon as it is unzipped', async () => {
  const memory = new BodyMemory(() => {});
  const text = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919).toString(36)).join(''));
  const zipped = gzipSync(text);
  assert.ok(zipped.length > 100_000);
  await withBody(request(zipped, { 'content-encoding': 'gzip' }), { maxBytes: 10 * MB, memory }, async (body) => {
    assert.ok(body.equals(text));
    assert.ok(memory.keptBytes >= zipped.length);
  });
});

test('no more is kept than the limit, the largest first', () => {
  const memory = new BodyMemory(() => {});
  const bodies = [6, 7, 8, 1].map((size) => memory.take(size * MB));
  for (const body of bodies) memory.give(body);
  assert.equal(memory.keptBytes, 16 * MB);
  const huge = memory.take(20 * MB);
  memory.give(huge);
  assert.equal(memory.keptBytes, 0);
});

test('memory that was not lent, or is given twice, is not taken', () => {
  const memory = new BodyMemory(() => {});
  memory.give(Buffer.alloc(MB));
  assert.equal(memory.keptBytes, 0);
  const body = memory.take(MB);
  memory.give(body);
  memory.give(body);
  assert.equal(memory.keptBytes, MB);
});

test('young garbage is collected after some megabytes of bodies', () => {
  let collections = 0;
  const memory = new BodyMemory(() => collections++);
  for (let i = 0; i < 49; i++) memory.arrived(MB);
  assert.equal(collections, 6);
});

test('the collector runs one young collection and leaves no flag behind', async () => {
  const kinds: unknown[] = [];
  const collect = youngCollector();
  collect(); // finds its way
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) kinds.push((entry as unknown as { detail: { kind: number } }).detail.kind);
  });
  observer.observe({ entryTypes: ['gc'] });
  collect();
  await until(() => kinds.length > 0);
  observer.disconnect();
  assert.equal(kinds[0], constants.NODE_PERFORMANCE_GC_MINOR);
  assert.equal((globalThis as { gc?: unknown }).gc, undefined);
});

test('a body that is not as long as it said is refused, whatever let it through', async () => {
  const memory = new BodyMemory(() => {});
  const sent = Buffer.alloc(120_000, 'a');
  for (const [declared, refusal] of [
    [119_999, /longer than its content-length/],
    [120_001, /shorter than its content-length/],
  ] as const) {
    const source = request(sent, { 'content-length': String(declared) });
    await assert.rejects(
      withBody(source, { maxBytes: MB, memory }, async () => assert.fail('a wrong body was used')),
      refusal,
    );
  }
});
