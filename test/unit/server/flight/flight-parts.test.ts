import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { messageHead, readMessages } from '../../../../src/server/flight/grpc/frames.ts';
import { grpcMessage, grpcTimeoutMs } from '../../../../src/server/flight/grpc/grpc-text.ts';
import { readFields, WireMessage, writeMessage } from '../../../../src/server/flight/protobuf/wire.ts';
import { isLike } from '../../../../src/server/flight/sql/like.ts';
import { readParams, writeParams } from '../../../../src/server/flight/sql/params.ts';
import { InfluxError } from '../../../../src/shared/errors.ts';

describe('protocol buffers', () => {
  test('what is written is read', () => {
    const number = fc.integer({ min: 1, max: 2000 });
    const value = fc.oneof(fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }), fc.uint8Array({ minLength: 1, maxLength: 300 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(number, value), { maxLength: 20 }), (fields) => {
        const read = readFields(writeMessage(fields));
        assert.deepEqual(
          read.map((field) => [field.number, typeof field.value === 'bigint' ? field.value : [...field.value]]),
          fields.map(([id, each]) => [id, typeof each === 'bigint' ? each : [...each]]),
        );
      }),
    );
    const message = new WireMessage(
      writeMessage([
        [1, 'ü'],
        [2, -1],
        [3, true],
        [3, 0],
        [4, ''],
      ]),
    );
    assert.deepEqual([message.text(1), message.integer(2), message.integer(3), message.has(4)], ['ü', 2n ** 64n - 1n, 1n, false]);
  });

  test('any bytes are read, or refused with an error of the catalogue', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readFields(bytes);
        } catch (error) {
          assert.ok(error instanceof InfluxError && error.grpc === 3 && error.message.startsWith('Invalid protobuf: '));
        }
      }),
    );
    assert.throws(() => readFields(Buffer.alloc(30_000, Buffer.from([8, 1]))), { code: 'INVALID_PROTOBUF' });
  });
});

describe('frames', () => {
  async function* chunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }

  async function read(bytes: Buffer, size: number, encoding?: string): Promise<string[]> {
    const messages: string[] = [];
    for await (const message of readMessages(chunks(bytes, size), encoding, 1000)) messages.push(message.toString());
    return messages;
  }

  test('messages are found however their bytes arrive', async () => {
    const texts = ['', 'a', 'x'.repeat(1000), 'last'];
    const bytes = Buffer.concat(texts.flatMap((text) => [messageHead(text.length), Buffer.from(text)]));
    for (const size of [1, 2, 4, 5, 7, 100, 5000]) assert.deepEqual(await read(bytes, size), texts, `${size}`);
  });

  test('limits hold before and after unpacking', async () => {
    await assert.rejects(read(Buffer.concat([messageHead(1001)]), 10), { code: 'GRPC_MESSAGE_TOO_LARGE' });
    const packed = (size: number): Buffer => {
      const content = gzipSync(Buffer.alloc(size, 'y'));
      const head = messageHead(content.length);
      head[0] = 1;
      return Buffer.concat([head, content]);
    };
    assert.deepEqual(await read(packed(1000), 10, 'gzip'), ['y'.repeat(1000)]);
    await assert.rejects(read(packed(1001), 10, 'gzip'), { code: 'GRPC_MESSAGE_TOO_LARGE' });
    await assert.rejects(read(packed(5), 10), { code: 'GRPC_ENCODING' });
    await assert.rejects(read(messageHead(5), 10), { code: 'GRPC_MALFORMED' });
  });
});

test('texts of failures and timeouts in headers', () => {
  assert.equal(grpcMessage('a b%\n"ü'), 'a b%25%0A"%C3%BC');
  assert.equal(grpcMessage('x'.repeat(2001)), `${'x'.repeat(2000)}...`);
  assert.deepEqual(['1H', '2M', '3S', '4m', '5u', '6n', '99999999H'].map(grpcTimeoutMs), [3_600_000, 120_000, 3000, 4, 1, 1, 2 ** 31 - 1]);
  assert.deepEqual([undefined, '', '1', 'S', '123456789S', '-1S', '1s'].map(grpcTimeoutMs), new Array(7).fill(undefined));
});

test('patterns of LIKE', () => {
  const cases: [string, string, boolean][] = [
    ['cpu', 'cpu', true],
    ['cpu', 'CPU', false],
    ['cpu', 'c%', true],
    ['cpu', '%u', true],
    ['cpu', '_p_', true],
    ['cpu', '__', false],
    ['', '%', true],
    ['', '', true],
    ['a', '', false],
    ['a%b', 'a\\%b', true],
    ['axb', 'a\\%b', false],
    ['abcabc', '%abc', true],
    ['aXbXc', 'a%b%c', true],
    ['mississippi', '%iss%ip%', true],
    ['🙂', '_', true],
  ];
  for (const [text, pattern, expected] of cases) assert.equal(isLike(text, pattern), expected, `${text} LIKE ${pattern}`);
  // an exponential search would not end
  assert.equal(isLike('a'.repeat(20_000), `${'%a'.repeat(200)}%b`), false);
});

test('parameters survive as an Arrow stream', async () => {
  const params = new Map([
    ['s', { kind: 'string', value: 'ü"' }],
    ['e', { kind: 'string', value: '' }],
    ['b', { kind: 'boolean', value: true }],
    ['i', { kind: 'int64', value: -(2n ** 63n) }],
    ['u', { kind: 'uint64', value: 2n ** 64n - 1n }],
    ['f', { kind: 'float64', value: 0.1 }],
    ['n', { kind: 'null' }],
  ] as const);
  assert.deepEqual(await readParams(writeParams(params)), params);
  await assert.rejects(readParams(Buffer.from('garbage')), { message: /^Invalid parameters: / });
});
