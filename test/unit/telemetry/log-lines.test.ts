import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { settle } from '../../support/fake-time.ts';
import { harness } from './support.ts';

const HOUR_MS = 3_600_000;

describe('log', () => {
  it('one line per change of state, however often it repeats', async () => {
    const h = harness();
    const infos = (): string[] => h.logger.lines.filter((line) => line.level === 'info').map((line) => line.message);
    h.telemetry.start();
    await settle();
    await h.time.advance(2 * HOUR_MS);
    h.outcome = { kind: 'failed', error: 'ENOTFOUND' };
    await h.time.advance(5 * HOUR_MS);
    h.outcome = { kind: 'answered', status: 500 };
    await h.time.advance(2 * HOUR_MS);
    assert.deepEqual(infos(), [
      'telemetry reports reach the endpoint',
      'telemetry reports do not reach the endpoint; the server is not affected',
      'telemetry reports reach the endpoint',
    ]);
    assert.equal(h.telemetry.status().attempts, 10);
    assert.equal(h.telemetry.status().attempts_failed, 5);
    assert.equal(h.logger.lines.filter((line) => line.message === 'telemetry report attempted').length, 10);
    await h.telemetry.stop();
  });

  it('a sender that throws does not reach the server', async () => {
    const h = harness({
      send: () => {
        throw new TypeError('bug');
      },
    });
    h.telemetry.start();
    await settle();
    assert.equal(h.telemetry.status().last_attempt?.error, 'TypeError');
    await h.telemetry.stop();
  });
});
