import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { Radosgw, radosgwMissing } from '../support/radosgw.ts';
import { takeOver, takeoversOf } from '../support/takeovers.ts';
import { until } from '../support/until.ts';

const missing = radosgwMissing();
const without = missing === undefined ? '' : ` (not run: ${missing})`;

/** `TAKEOVERS=6` for the figures of the documentation. */
describe(`a server on Ceph's S3 gateway${without}`, { skip: missing !== undefined }, () => {
  it('is taken over frozen, killed and living, goes through a killed gateway, and has each acknowledged row once', async (t: TestContext) => {
    const gateway = await Radosgw.start(t);
    const storeArgs = await gateway.bucket('takeovers');
    const writer = new NumberedWriter();
    const { ended, ...taken } = await takeOver(t, storeArgs, writer, takeoversOf(['frozen', 'killed', 'living']));
    let { server } = taken;
    const start = await gateway.kill();
    const during = writer.many(server, 4, 3);
    await start();
    await during;
    await until(async () => (await writer.one(server)) === 204);
    await server.kill('SIGKILL');
    server = await startBucketServer(t, storeArgs, { args: RESTLESS });
    const { acknowledged, doubled, lost, wrong } = await writer.compare(server);
    t.diagnostic(`${acknowledged} acknowledged, ${lost} lost, ${doubled} twice, ${ended} rivals ended`);
    assert.deepEqual({ doubled, lost, wrong }, { doubled: 0, lost: 0, wrong: 0 });
    assert.equal(await server.kill('SIGTERM'), 0);
  });
});
