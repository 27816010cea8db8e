import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { Radosgw, radosgwMissing } from '../support/radosgw.ts';
import { until } from '../support/until.ts';

/** Takeovers of each kind. `TAKEOVERS=8` for the figures of the documentation. */
const ROUNDS = Number(process.env['TAKEOVERS'] ?? 1);

const missing = radosgwMissing();
const without = missing === undefined ? '' : ` (not run: ${missing})`;

describe(`a server on Ceph's S3 gateway${without}`, { skip: missing !== undefined }, () => {
  it('is taken over frozen, killed and living, goes through a killed gateway, and has each acknowledged row once', async (t: TestContext) => {
    const gateway = await Radosgw.start(t);
    const storeArgs = await gateway.bucket('takeovers');
    const writer = new NumberedWriter();
    let server = await startBucketServer(t, storeArgs, { args: RESTLESS });
    let fenced = 0;
    for (let round = 0; round < ROUNDS; round++) {
      for (const how of ['frozen', 'killed', 'living'] as const) {
        let over = false;
        const old = server;
        const enough = writer.acknowledged.size + 50;
        const writing = writer.many(old, 4, 100_000, () => over);
        await until(() => writer.acknowledged.size > enough);
        if (how === 'frozen') old.child.kill('SIGSTOP');
        if (how === 'killed') await old.kill('SIGKILL');
        server = await startBucketServer(t, storeArgs, { args: RESTLESS });
        await writer.many(server, 2, 10);
        if (how === 'frozen') old.child.kill('SIGCONT');
        if (how !== 'killed') {
          assert.equal(await old.ended, 70, old.output);
          fenced++;
        }
        over = true;
        await writing;
      }
    }
    const start = await gateway.kill();
    const during = writer.many(server, 4, 3);
    await start();
    await during;
    await until(async () => (await writer.one(server)) === 204);
    await server.kill('SIGKILL');
    server = await startBucketServer(t, storeArgs, { args: RESTLESS });
    const { acknowledged, doubled, lost, wrong } = await writer.compare(server);
    t.diagnostic(`${acknowledged} acknowledged, ${lost} lost, ${doubled} twice, ${fenced} rivals fenced`);
    assert.deepEqual({ doubled, lost, wrong }, { doubled: 0, lost: 0, wrong: 0 });
    assert.equal(await server.kill('SIGTERM'), 0);
  });
});
