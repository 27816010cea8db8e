import assert from 'node:assert/strict';
import { hostname, userInfo } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { settle } from '../../support/fake-time.ts';
import { harness, IDENTITY } from './support.ts';

/** Names long enough that they cannot occur in a payload by chance. */
const name = fc
  .string({ minLength: 8, maxLength: 40, unit: 'grapheme' })
  .filter((text) => !/^[\s\d.,:{}[\]"-]*$/.test(text))
  .map((text) => `n:${text}`);

describe('privacy', () => {
  it('random names of databases, tables, tags, triggers, plugins, packages, tokens and nodes never occur in the bytes sent', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ database: name, trigger: name, plugin: name, pack: name }), { minLength: 1, maxLength: 8 }),
        async (rows) => {
          const h = harness({ installedPackages: () => rows.map((row) => row.pack) });
          for (const row of rows) {
            h.telemetry.recordInvocation(row.database, row.trigger, `gh:acme/${row.plugin}.py`, 'process_writes');
            h.telemetry.recorder.recordWrite(Buffer.byteLength(row.database), 10);
          }
          h.telemetry.start();
          await settle();
          await h.telemetry.stop();
          assert.equal(h.posts.length, 1);
          for (const row of rows) {
            for (const secret of Object.values(row)) assertAbsent(h.posts[0] ?? '', secret);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('identity options of any text never occur in the bytes sent unless they have the shape of a version, store or UUID', () => {
    fc.assert(
      fc.property(name, name, (first, second) => {
        const identity = {
          ...IDENTITY,
          packageVersion: first,
          storageType: second,
          instanceId: first,
          clusterUuid: second,
        };
        const sent = Buffer.from(harness({ identity }).telemetry.preview()).toString('utf8');
        assertAbsent(sent, first);
        assertAbsent(sent, second);
      }),
    );
  });

  it('host name, user name, home and working folder are not in the bytes sent', () => {
    const sent = Buffer.from(harness().telemetry.preview()).toString('utf8');
    const values = [hostname(), userInfo().homedir, process.cwd()].filter((value) => value.length > 2);
    for (const value of values) assertAbsent(sent, value);
    assert.ok(values.length > 0);
  });

  it('nothing above debug level carries names or the payload', async () => {
    const h = harness();
    h.telemetry.recordInvocation('customer_db', 'bob_trigger', 'secret.py', 'process_writes');
    h.telemetry.start();
    await settle();
    await h.telemetry.stop();
    assert.ok(h.logger.lines.length > 0);
    assert.ok(!/customer_db|bob_trigger|secret|instance_id/.test(JSON.stringify(h.logger.lines)));
  });
});

function assertAbsent(sent: string, secret: string): void {
  assert.ok(!sent.includes(secret), `sent ${secret}`);
  assert.ok(!sent.includes(JSON.stringify(secret).slice(1, -1)), `sent ${secret} escaped`);
}
