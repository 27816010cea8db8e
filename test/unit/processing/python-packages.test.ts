import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PythonEnvironment } from '../../../src/processing/python/python-environment.ts';
import { PythonPackages } from '../../../src/processing/python/python-packages.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { silentLogger } from '../../../src/shared/logger.ts';
import { until } from '../../support/until.ts';
import { temporaryDirectory } from '../storage/temp-directory.ts';

describe('the Python packages of plugins', () => {
  it('are listed once each and in order, without anybody who waits for the list', async (t) => {
    const pluginDir = await temporaryDirectory(t);
    const python = new PythonEnvironment({ pluginDir, location: undefined, python: undefined, env: process.env });
    const packages = new PythonPackages({ python, allowed: true, logger: silentLogger, clock: systemClock });
    assert.deepEqual(packages.installed(), []);
    const names = await until(() => (packages.installed().length > 0 ? packages.installed() : undefined));
    assert.deepEqual(names, [...new Set(names)].sort());
  });

  it('are none while the processing engine is off, and where there is no Python', async (t) => {
    const off = new PythonPackages({ python: undefined, allowed: true, logger: silentLogger, clock: systemClock });
    assert.deepEqual(off.installed(), []);
    const pluginDir = await temporaryDirectory(t);
    const python = new PythonEnvironment({ pluginDir, location: undefined, python: 'no-python-here', env: process.env });
    const packages = new PythonPackages({ python, allowed: true, logger: silentLogger, clock: systemClock });
    packages.installed();
    await assert.rejects(packages.install(['x']), /Plugin environment management is disabled: no Python/);
    assert.deepEqual(packages.installed(), []);
  });
});
