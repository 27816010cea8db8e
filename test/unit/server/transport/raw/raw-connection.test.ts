import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import { type ConnectionOptions, RawConnection } from '../../../../../src/server/http/transport/raw/raw-connection.ts';

/** A client that takes answers as slowly as the test says. */
class SlowSocket extends EventEmitter {
  readonly writable = true;
  readonly readableLength = 0;
  readonly written: unknown[] = [];
  full = false;
  paused = false;
  destroyed = false;

  write(answer: unknown): boolean {
    this.written.push(answer);
    return !this.full;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  setTimeout(): void {}

  destroy(): void {
    this.destroyed = true;
  }
}

const WRITE = Buffer.from('POST /write HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\nx');

function connection(socket: SlowSocket): RawConnection {
  const options: ConnectionOptions = {
    keepAliveTimeoutMs: 1000,
    isWrite: () => true,
    needsBody: () => true,
    answer: async (_path, _request, _target, reply) => void reply.code(204).send(),
    now: () => 0,
    onOver: () => undefined,
    commonLines: () => '',
    handOver: () => assert.fail('handed over'),
    onLeft: () => undefined,
  };
  return new RawConnection(socket as unknown as Socket, options);
}

describe('connection of the raw lane', () => {
  test('a client that does not take its answers gets to send no more until it does', async () => {
    const socket = new SlowSocket();
    connection(socket).take(WRITE);
    assert.deepEqual([socket.written.length, socket.paused], [1, false]);
    socket.full = true;
    socket.emit('data', WRITE);
    assert.deepEqual([socket.written.length, socket.paused], [2, true]);
    socket.emit('drain');
    assert.equal(socket.paused, false);
  });

  test('a broken connection is ended', () => {
    const socket = new SlowSocket();
    connection(socket).take(WRITE);
    socket.emit('error', new Error('reset'));
    assert.ok(socket.destroyed);
  });
});
