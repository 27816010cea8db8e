import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import systeminformation from 'systeminformation';
import { collectStaticFacts, osName, usableCores } from '../../../src/telemetry/static-facts.ts';
import { IDENTITY } from './support.ts';

describe('static facts', () => {
  it('operating systems have the names that Rust gives them', () => {
    const names = ['linux', 'darwin', 'win32', 'sunos', 'freebsd', 'openbsd', 'aix', 'android'].map(osName);
    assert.deepEqual(names, ['linux', 'macos', 'windows', 'solaris', 'freebsd', 'openbsd', 'aix', 'android']);
  });

  it('the operating system of this machine is what systeminformation finds', async () => {
    const { platform } = await systeminformation.osInfo();
    assert.equal(osName(process.platform), osName(platform));
  });

  it('cores honour affinity and the container quota, rounded up', () => {
    const files = (entries: Record<string, string>) => (path: string) => entries[path];
    assert.equal(usableCores(files({}), 8), 8);
    assert.equal(usableCores(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'max 100000\n' }), 8), 8);
    assert.equal(usableCores(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 100000\n' }), 8), 2);
    assert.equal(usableCores(files({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '1000 100000\n' }), 8), 1);
    const nested = {
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/b/cpu.max': 'max 100000',
      '/sys/fs/cgroup/a/cpu.max': '300000 100000',
    };
    assert.equal(usableCores(files(nested), 8), 3);
    const v1 = {
      '/proc/self/cgroup': '4:memory:/x\n3:cpu,cpuacct:/x\n',
      '/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us': '250000\n',
      '/sys/fs/cgroup/cpu/x/cpu.cfs_period_us': '100000\n',
    };
    assert.equal(usableCores(files(v1), 8), 3);
    const unlimited = { ...v1, '/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us': '-1\n' };
    assert.equal(usableCores(files(unlimited), 8), 8);
    assert.ok(usableCores() >= 1);
  });

  it('free text that reaches an identity field does not leave the server', () => {
    const facts = collectStaticFacts(
      {
        packageVersion: 'v /home/bob',
        storageType: 's3://bucket',
        instanceId: 'bobs-laptop',
        clusterUuid: 'x',
        serveInvocationMethod: 4_294_967_295n,
      },
      { platform: 'linux', cores: 0 },
    );
    assert.deepEqual(facts, {
      os: 'linux',
      version: 'influxdb3-unknown',
      storageType: 'unknown',
      instanceId: '',
      clusterUuid: '',
      cores: 1,
      serveInvocationMethod: 4_294_967_295n,
    });
    assert.equal(
      collectStaticFacts({ ...IDENTITY, packageVersion: '3.10.0-ts.1' }, { platform: 'linux', cores: 2 }).version,
      'influxdb3-3.10.0-ts.1',
    );
  });
});
