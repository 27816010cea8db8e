import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ErrorLog } from '../../../../src/server/http/response/error-log.ts';
import { InfluxError } from '../../../../src/shared/errors.ts';
import { type LogFields, type Logger, silentLogger } from '../../../../src/shared/logger.ts';

function setUp() {
  const time = { nowMs: 0 };
  const lines: [string, LogFields | undefined][] = [];
  const push = (message: string, fields?: LogFields): void => {
    lines.push([message, fields]);
  };
  const logger: Logger = { ...silentLogger, warn: push, error: push };
  const log = new ErrorLog({ nowNs: () => 0n, nowMs: () => 0, monotonicMs: () => time.nowMs }, logger);
  return { time, lines, log };
}

test('a failure that repeats is logged once a minute, then counted', () => {
  const { time, lines, log } = setUp();
  const full = new InfluxError({ code: 'WAL_FULL', message: 'wal buffer full', status: 500, cause: new Error('no space left') });
  for (let i = 0; i < 3; i++) log.known(full);
  assert.deepEqual(lines, [['request failed', { code: 'WAL_FULL', error: 'wal buffer full', cause: 'no space left', suppressed: 0 }]]);
  time.nowMs = 60_000;
  log.known(full);
  assert.equal(lines[1]?.[1]?.['suppressed'], 2);
});

test('different bugs are logged apart, and the memory is bounded', () => {
  const { lines, log } = setUp();
  log.unexpected(new TypeError('a'));
  log.unexpected(new TypeError('a'));
  log.unexpected('text');
  assert.deepEqual(
    lines.map(([message]) => message),
    ['unexpected error while answering a request', 'unexpected error while answering a request'],
  );
  for (let i = 0; i < 100; i++) log.unexpected(new Error(`e${i}`));
  log.unexpected(new TypeError('a'));
  assert.equal(lines.length, 103);
});
