import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PluginCalls } from '../../../src/processing/calls/plugin-host.ts';
import { JavascriptHost } from '../../../src/processing/javascript/javascript-host.ts';
import type { PluginCode } from '../../../src/processing/plugins/plugin-code.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { systemTimers } from '../../../src/shared/timers.ts';
import { until } from '../../support/until.ts';

const ENDLESS = 'export function processScheduledCall(api) { api.info("begun"); for (;;); }';
const QUICK = 'export function processScheduledCall() {}';

function code(source: string): PluginCode {
  return { name: 'p.mjs', language: 'javascript', isDirectory: false, path: undefined, entry: undefined, source, version: source };
}

it('ends a plugin in an endless loop also while a call of its next version waits for it', async () => {
  const host = new JavascriptHost({
    label: 'test',
    memoryLimitBytes: undefined,
    logger: silentLogger,
    clock: systemClock,
    timers: systemTimers,
  });
  const logged: string[] = [];
  const calls = { log: (_: string, text: string) => logged.push(text) } as unknown as PluginCalls;
  const call = (source: string): Promise<unknown> =>
    host
      .call(
        { code: code(source), database: 'db', args: null, input: { kind: 'schedule', timeMs: 0 }, cacheName: '' },
        calls,
        new AbortController().signal,
      )
      .catch((error: unknown) => error);
  const endless = call(ENDLESS);
  await until(() => logged.includes('begun'));
  const next = call(QUICK);
  await new Promise(setImmediate);
  let stopped = false;
  void host.stop().then(() => {
    stopped = true;
  });
  await until(() => stopped);
  assert.match(String(await endless), /plugin process exited unexpectedly/);
  assert.match(String(await next), /the trigger was stopped/);
  assert.equal(host.starts, 1);
});
