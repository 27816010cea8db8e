import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { TelemetrySettings } from '../../../src/telemetry/settings.ts';
import { SwitchableTelemetry } from '../../../src/telemetry/switchable-telemetry.ts';
import { deferred } from '../../support/deferred.ts';
import { temporaryDirectory } from '../../support/write-store.ts';
import { IDENTITY, memoryLogger, SOURCES, SWITCHES } from './support.ts';

test('telemetry is off, and nothing else breaks, when the setting cannot be stored while a report is under way', async (t) => {
  const folder = join(await temporaryDirectory(t), 'telemetry');
  const settings = await TelemetrySettings.open(join(folder, 'settings.json'));
  await writeFile(folder, 'in the way');
  const sending = deferred();
  const sent = deferred();
  const telemetry = new SwitchableTelemetry({
    switches: SWITCHES,
    settings,
    identity: IDENTITY,
    sources: SOURCES,
    logger: memoryLogger(),
    readProcess: async () => ({ cpuPercent: 0, rssBytes: 0 }),
    send: async () => {
      sending.resolve();
      await sent.promise;
      return { kind: 'answered', status: 204 };
    },
  });
  telemetry.start();
  await sending.promise;
  const off = telemetry.switchOff();
  const refused = assert.rejects(off, { code: 'EEXIST' });
  await delay(50); // the setting has failed by now, the report still goes on
  sent.resolve();
  await refused;
  assert.equal(telemetry.state, 'off');
  await telemetry.stop();
});
