import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PluginHost } from '../../../src/processing/calls/plugin-host.ts';
import { PluginCodeReader } from '../../../src/processing/plugins/plugin-code.ts';
import { TriggerLog } from '../../../src/processing/trigger-log.ts';
import { newFigures } from '../../../src/processing/triggers/trigger-figures.ts';
import { TriggerRunner, type TriggerRunnerOptions } from '../../../src/processing/triggers/trigger-runner.ts';
import { type Log, silentLogger } from '../../../src/shared/logger.ts';
import { FakeTime } from '../../support/fake-time.ts';

/** A trigger whose plugin is fetched; its host answers every call. */
function runner(time: FakeTime, fetchRemote: () => Promise<string>, logger: Log = silentLogger): TriggerRunner {
  const never = (): never => {
    throw new Error('not asked for in this test');
  };
  const host: PluginHost = {
    starts: 0,
    ready: async () => undefined,
    call: async () => undefined,
    refuseCalls: () => undefined,
    stop: async () => undefined,
  };
  const definition = { id: 1, name: 't', pluginFilename: 'gh:x.py', spec: { kind: 'all_tables' }, runAsync: false, errorBehavior: 'log' };
  const trigger = { database: { id: 1, name: 'db' }, definition: { ...definition, arguments: null, disabled: false } };
  return new TriggerRunner({
    trigger: trigger as unknown as TriggerRunnerOptions['trigger'],
    code: new PluginCodeReader({ directory: '/plugins', fetchRemote }),
    openHost: () => host,
    log: new TriggerLog(time),
    logger: logger as TriggerRunnerOptions['logger'],
    clock: time,
    timers: time,
    figures: newFigures(),
    timeoutMs: undefined,
    onInvocation: () => undefined,
    before: Promise.resolve(),
    isDatabaseDeleted: () => false,
    disable: never,
    writes: { write: never },
    queries: { sql: never } as unknown as TriggerRunnerOptions['queries'],
    sharedCache: { put: never, get: never, delete: never },
  });
}

describe('a trigger whose repository does not answer', () => {
  it('asks again every minute until it has its code', async () => {
    const time = new FakeTime();
    let asked = 0;
    const trigger = runner(time, async () => {
      asked++;
      if (asked < 3) throw new Error('error getting plugin from repository');
      return 'x = 1';
    });
    const prepared = trigger.prepare();
    await time.advance(59_000);
    assert.equal(asked, 1);
    await time.advance(61_000);
    assert.equal(asked, 3);
    await prepared;
    await time.advance(600_000);
    assert.equal(asked, 3);
  });

  it('asks once for all events of ten seconds, and for none of a running trigger that has its code', async () => {
    const time = new FakeTime();
    let asked = 0;
    let answers = false;
    const trigger = runner(time, async () => {
      asked++;
      if (!answers) throw new Error('error getting plugin from repository');
      return 'x = 1';
    });
    const events = (): Promise<unknown> => Promise.all(Array.from({ length: 20 }, () => trigger.run({ kind: 'wal', batches: [] })));
    await events();
    await events();
    assert.equal(asked, 1);
    await time.advance(10_000);
    answers = true;
    await events();
    await events();
    assert.equal(asked, 2);
  });

  it('gives up when it is stopped', async () => {
    const time = new FakeTime();
    const trigger = runner(time, async () => {
      throw new Error('error getting plugin from repository');
    });
    const prepared = trigger.prepare();
    await time.advance(1000);
    await trigger.stop(0);
    await prepared;
    assert.equal(time.pendingTimers, 0);
  });
});
