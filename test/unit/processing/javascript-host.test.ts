import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PluginCall, PluginCalls } from '../../../src/processing/calls/plugin-host.ts';
import { JavascriptHost } from '../../../src/processing/javascript/javascript-host.ts';
import type { PluginCode } from '../../../src/processing/plugins/plugin-code.ts';
import type { EngineResponse } from '../../../src/processing/processing-service.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { FakeTime } from '../../support/fake-time.ts';
import { until } from '../../support/until.ts';

const WAITS = `
export async function processRequest(api) {
  api.cache.put('kept', 'of the first version');
  await api.writeSync('m v=1');
  return 'the first version';
}
`;

const LOOPS = 'export function processRequest(api) { api.info("loops"); for (;;); }';
const NEXT = 'export const processRequest = (api) => api.cache.get("kept") ?? "nothing kept";';

function code(source: string, version: string): PluginCode {
  return { name: 'gh:p.js', language: 'javascript', isDirectory: false, path: undefined, entry: undefined, source, version };
}

/** A trigger on requests in the hands of the test. */
class Trigger {
  readonly time = new FakeTime();
  readonly host: JavascriptHost;
  readonly logged: string[] = [];
  readonly #writes: (() => void)[] = [];

  constructor(t: { after(fn: () => Promise<void>): void }) {
    this.host = new JavascriptHost({
      label: 'db.t',
      memoryLimitBytes: undefined,
      logger: silentLogger,
      clock: systemClock,
      timers: this.time,
    });
    t.after(() => this.host.stop());
  }

  async call(plugin: PluginCode): Promise<string> {
    const never = (): never => {
      throw new Error('not asked for in this test');
    };
    const calls: PluginCalls = {
      log: (_level, text) => void this.logged.push(text),
      write: () => new Promise((resolve) => this.#writes.push(resolve)),
      queue: never,
      query: never,
      answer: never,
      sharedCache: { put: never, get: never, delete: never },
    };
    const input = { kind: 'request', query: {}, headers: {}, body: new Uint8Array() } as const;
    const call: PluginCall = { code: plugin, database: 'db', args: null, input, cacheName: '' };
    const answer = (await this.host.call(call, calls, new AbortController().signal)) as EngineResponse;
    return Buffer.from(answer.body as Uint8Array).toString();
  }

  /** Resolves when a call of the plugin waits for a write. */
  waitsForWrite(): Promise<true> {
    return until(() => this.#writes.length === 1);
  }

  finishWrite(): void {
    this.#writes.pop()?.();
  }
}

describe('the worker of JavaScript plugins', () => {
  it('is replaced beside a call that takes long, which ends as it began, and its cache goes along', async (t) => {
    const trigger = new Trigger(t);
    const first = trigger.call(code(WAITS, '1'));
    await trigger.waitsForWrite();
    const second = trigger.call(code(NEXT, '2'));
    await trigger.time.advance(9_999);
    assert.equal(trigger.host.starts, 1, 'calls that run may end first');
    await trigger.time.advance(1);
    assert.equal(await second, 'of the first version');
    trigger.finishWrite();
    assert.equal(await first, 'the first version');
  });

  it('ends when it is told to, while a call of it never ends and a new version waits for that call', { timeout: 60_000 }, async (t) => {
    const trigger = new Trigger(t);
    const looping = trigger.call(code(LOOPS, '1'));
    await until(() => trigger.logged.length === 1);
    const waiting = trigger.call(code(NEXT, '2'));
    const ends = Promise.all([
      assert.rejects(looping, /plugin process exited unexpectedly/),
      assert.rejects(waiting, /the trigger was stopped/),
    ]);
    await trigger.host.stop();
    await ends;
  });

  it('does not hold up a new version when a call of the old one never ends', { timeout: 60_000 }, async (t) => {
    const trigger = new Trigger(t);
    const looping = assert.rejects(trigger.call(code(LOOPS, '1')));
    await until(() => trigger.logged.length === 1);
    const next = trigger.call(code(NEXT, '2'));
    await trigger.time.advance(20_000);
    assert.equal(await next, 'nothing kept');
    await trigger.host.stop();
    await looping;
  });
});
