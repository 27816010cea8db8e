import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { AZURITE_KEY, Azurite } from '../support/azurite.ts';
import { NumberedWriter, RESTLESS, startBucketServer } from '../support/bucket-servers.ts';
import { FakeGoogle } from '../support/fake-google.ts';
import { takeOver, takeoversOf } from '../support/takeovers.ts';
import { tlsFront } from '../support/tls-front.ts';

/** A store of a cloud, as flags of a server. */
interface Cloud {
  readonly args: readonly string[];
  /** The same with a bucket that does not exist. */
  readonly wrongArgs: readonly string[];
  readonly secret: string;
}

async function azure(t: TestContext): Promise<Cloud> {
  const azurite = await Azurite.start(t);
  return { args: azurite.args(await azurite.container()), wrongArgs: azurite.args('missing'), secret: AZURITE_KEY };
}

/** Over TLS, with tokens that the account of the key file signs. */
async function google(t: TestContext): Promise<Cloud> {
  const fake = await FakeGoogle.start(t);
  const { caFile, url } = await tlsFront(t, fake.url);
  const file = await fake.keyFile(t, { gcs_base_url: url });
  const args = (bucket: string): string[] => [
    ...['--object-store', 'google', '--bucket', bucket, '--google-service-account', file, '--object-store-tls-ca', caFile],
  ];
  return { args: args(fake.bucket), wrongArgs: args('missing'), secret: 'PRIVATE KEY' };
}

/** `TAKEOVERS=6` for the figures of the documentation. */
for (const [kind, open] of [
  ['azure', azure],
  ['google', google],
] as const) {
  describe(`a server whose data is in a bucket: ${kind}`, () => {
    it('is ended by one that took over, keeps acknowledged rows through a kill with an empty cache, and tells no secret', async (t) => {
      const { args, secret, wrongArgs } = await open(t);
      const writer = new NumberedWriter();
      const { ended, output, server } = await takeOver(t, args, writer, takeoversOf(['frozen']));
      await writer.many(server, 4, 10);
      await server.kill('SIGKILL');

      const withTelemetry = ['--without-auth', '--telemetry-endpoint', 'http://127.0.0.1:1/']; // the first report leaves after an hour
      const last = await startBucketServer(t, args, { args: [...RESTLESS, ...withTelemetry], bare: true });
      const { acknowledged, lost, doubled, wrong } = await writer.compare(last);
      t.diagnostic(`${acknowledged} acknowledged, ${lost} lost, ${doubled} twice, ${ended} rivals ended`);
      assert.deepEqual({ lost, doubled, wrong }, { lost: 0, doubled: 0, wrong: 0 });
      const files = await last.rows('db', "SELECT count(*) AS n FROM system.parquet_files WHERE table_name = 'm'");
      assert.ok(Number(files[0]?.['n']) > 0, 'rows came from files');
      const preview = await (await fetch(`${last.url}/api/v3/telemetry/preview`)).text();
      assert.match(preview, new RegExp(`"storage_type": ?"${kind}"`));
      assert.equal(await last.kill('SIGTERM'), 0);

      const failure = await startBucketServer(t, wrongArgs).then(String, (error: Error) => error.message);
      assert.match(failure, /(container|bucket) 'missing' failed .* does not exist: create it, or choose another one/);
      for (const text of [output, server.output, last.output, failure, preview]) assert.equal(text.includes(secret), false);
    });
  });
}
