import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INVOCATIONS_SENT_MAX, InvocationRegistry, normalizePluginName } from '../../../src/telemetry/invocations.ts';
import { settle } from '../../support/fake-time.ts';
import { decode, harness, OFF } from './support.ts';

describe('plugin invocations', () => {
  it('plugin names lose folder, gh: and extension', () => {
    const cases: [string, string][] = [
      ['gh:influxdata/downsampler/downsampler.py', 'downsampler'],
      ['my.plugin.py', 'my.plugin'],
      ['nested/my_plugin/', 'my_plugin'],
      ['nested\\my_plugin\\', 'my_plugin'],
      ['.py', 'unknown'],
      ['', 'unknown'],
      ['  plain  ', 'plain'],
      ['twice.py.py', 'twice.py'],
      ['a/b/job.mjs', 'job'],
      ['job.ts', 'job'],
    ];
    for (const [input, expected] of cases) assert.equal(normalizePluginName(input), expected, input);
  });

  it('the named list is ordered by count, then names in byte order, and holds at most 255', () => {
    const registry = new InvocationRegistry();
    registry.record('b', 't', 'p.py', 'process_writes');
    registry.record('a', 't', 'p.py', 'process_writes');
    registry.record('é', 't', 'p.py', 'process_writes');
    registry.record('a', 't', 'p.py', 'process_request');
    registry.record('z', 't', 'p.py', 'process_scheduled_call');
    registry.record('z', 't', 'p.py', 'process_scheduled_call');
    assert.deepEqual(
      registry.named().map((entry) => [entry.databaseName, entry.triggerType, entry.count]),
      [
        ['z', 'process_scheduled_call', 2],
        ['a', 'process_request', 1],
        ['a', 'process_writes', 1],
        ['b', 'process_writes', 1],
        ['é', 'process_writes', 1],
      ],
    );
    for (let index = 0; index < 300; index += 1) registry.record('db', `t${index}`, 'p', 'process_writes');
    assert.equal(registry.named().length, INVOCATIONS_SENT_MAX);
  });

  it('beyond ten thousand triggers the totals still count', () => {
    const registry = new InvocationRegistry();
    for (let index = 0; index < 10_050; index += 1) registry.record('db', `t${index}`, 'p', 'process_writes');
    assert.equal(registry.redacted()[0]?.count, 10_050);
  });

  it('what is sent has one element per kind and no names; the test endpoint has the names', () => {
    const { telemetry } = harness();
    for (let index = 0; index < 3; index += 1) telemetry.recordInvocation('customer_db', 'bob_trigger', 'secret.py', 'process_writes');
    telemetry.recordInvocation('other', 'x', 'y.py', 'process_writes');
    telemetry.recordInvocation('other', 'x', 'y.py', 'process_request');
    const sent = Buffer.from(telemetry.preview()).toString('utf8');
    assert.ok(
      sent.endsWith(
        '"plugin_trigger_invocations":[{"database_name":"","trigger_name":"","plugin_name":"","trigger_type":"process_writes","invocation_count":4},{"database_name":"","trigger_name":"","plugin_name":"","trigger_type":"process_request","invocation_count":1}],"installed_packages":[]}',
      ),
      sent,
    );
    assert.ok(
      telemetry
        .snapshotJson()
        .includes(
          '{"database_name":"customer_db","trigger_name":"bob_trigger","plugin_name":"secret","trigger_type":"process_writes","invocation_count":3}',
        ),
    );
  });

  it('the registry is cleared with the window, also after a failed report, and not by looking', async () => {
    const h = harness();
    h.telemetry.start();
    await settle();
    h.outcome = { kind: 'failed', error: 'ECONNREFUSED' };
    h.telemetry.recordInvocation('d', 't', 'p', 'process_writes');
    h.telemetry.snapshotJson();
    h.telemetry.preview();
    await h.time.advance(3_600_000);
    assert.equal((decode(h.posts[1])['plugin_trigger_invocations'] as unknown[]).length, 1);
    assert.deepEqual(decode(h.telemetry.preview())['plugin_trigger_invocations'], []);
    await h.telemetry.stop();
  });

  it('package names stay on the machine, sorted and without repeats on the test endpoint', () => {
    const { telemetry } = harness({ installedPackages: () => ['numpy', 'acme-secret', 'numpy', 'Zope'] });
    assert.deepEqual(decode(telemetry.preview())['installed_packages'], []);
    assert.deepEqual(decode(telemetry.snapshotJson())['installed_packages'], ['Zope', 'acme-secret', 'numpy']);
  });

  it('with telemetry off in test mode invocations are recorded in memory', () => {
    const { telemetry, time } = harness({ resolution: OFF, testMode: true });
    telemetry.start();
    telemetry.recordInvocation('d', 't', 'p.py', 'process_request');
    const snapshot = decode(telemetry.snapshotJson());
    assert.equal(snapshot['storage_engine_type'], 'parquet');
    assert.equal((snapshot['plugin_trigger_invocations'] as unknown[]).length, 1);
    assert.equal(time.timersMade, 0);
    assert.equal(telemetry.preview().length, 0);
  });
});
