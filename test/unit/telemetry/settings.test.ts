import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { TelemetrySettings } from '../../../src/telemetry/settings.ts';
import { temporaryDirectory } from '../../support/write-store.ts';

test('off counts from the call on, before it is stored; on counts once it is stored', async (t) => {
  const path = join(await temporaryDirectory(t), 'telemetry', 'settings.json');
  const settings = await TelemetrySettings.open(path);
  const off = settings.setOff(true);
  assert.equal(settings.stored.off, true);
  await off;
  assert.equal((await TelemetrySettings.open(path)).stored.off, true);
  const on = settings.setOff(false);
  assert.equal(settings.stored.off, true);
  await on;
  assert.equal(settings.stored.off, false);
  assert.equal((await TelemetrySettings.open(path)).stored.off, false);
});
