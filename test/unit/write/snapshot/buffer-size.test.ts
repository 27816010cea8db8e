import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferSize } from '../../../../src/write/snapshot/buffer-size.ts';

const MB = 1024 * 1024;

test('a buffer of many chunks is full at 96 MB when its files are not small, at its limit in any case', () => {
  const size = new BufferSize(256 * MB);
  assert.equal(size.isFull({ bytes: 95 * MB, chunkCount: 9, filledTables: 1 }), false);
  assert.equal(size.isFull({ bytes: 96 * MB, chunkCount: 3, filledTables: 1 }), true);
  assert.equal(size.isFull({ bytes: 96 * MB, chunkCount: 384, filledTables: 1 }), true);
  assert.equal(size.isFull({ bytes: 96 * MB, chunkCount: 385, filledTables: 1 }), false);
  assert.equal(size.isFull({ bytes: 255 * MB, chunkCount: 5000, filledTables: 1 }), false);
  assert.equal(size.isFull({ bytes: 256 * MB, chunkCount: 5000, filledTables: 1 }), true);
});

test('a buffer of chunks that still grow stays up to its limit', () => {
  const size = new BufferSize(256 * MB);
  assert.equal(size.isFull({ bytes: 255 * MB, chunkCount: 2, filledTables: 1 }), false);
  assert.equal(size.isFull({ bytes: 256 * MB, chunkCount: 1, filledTables: 1 }), true);
  assert.equal(size.isFull({ bytes: 96 * MB, chunkCount: 29, filledTables: 10 }), false);
  assert.equal(size.isFull({ bytes: 96 * MB, chunkCount: 30, filledTables: 10 }), true);
});

test('a limit below 96 MB is the only one', () => {
  const size = new BufferSize(MB);
  assert.equal(size.persistBytes, MB);
  assert.equal(size.isFull({ bytes: MB, chunkCount: 1000, filledTables: 1000 }), true);
  assert.equal(size.isFull({ bytes: MB - 1, chunkCount: 3, filledTables: 1 }), false);
});

test('after a pause 8 MB are worth persisting, unless that makes small files or halves of chunks', () => {
  const size = new BufferSize(256 * MB);
  assert.equal(size.isWorthPersisting({ bytes: 7 * MB, chunkCount: 3, filledTables: 1 }), false);
  assert.equal(size.isWorthPersisting({ bytes: 8 * MB, chunkCount: 32, filledTables: 1 }), true);
  assert.equal(size.isWorthPersisting({ bytes: 8 * MB, chunkCount: 33, filledTables: 1 }), false);
  assert.equal(size.isWorthPersisting({ bytes: 8 * MB, chunkCount: 2, filledTables: 1 }), false);
});

test('writers wait at twice the size of a snapshot, soon when it began late', () => {
  const size = new BufferSize(256 * MB);
  assert.equal(size.waitBytes(16 * MB), 192 * MB);
  assert.equal(size.waitBytes(96 * MB), 192 * MB);
  assert.equal(size.waitBytes(160 * MB), 208 * MB);
  assert.equal(size.waitBytes(256 * MB), 512 * MB);
  assert.equal(new BufferSize(MB).waitBytes(MB), 2 * MB);
});
