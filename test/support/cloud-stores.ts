import { after } from 'node:test';
import { systemClock } from '../../src/shared/clock.ts';
import { systemTimers } from '../../src/shared/timers.ts';
import {
  type AzureOptions,
  type BucketStore,
  type ConnectionOptions,
  type GoogleOptions,
  openAzureStore,
  openGoogleStore,
} from '../../src/storage/index.ts';
import { AZURITE_ACCOUNT, AZURITE_KEY, Azurite } from './azurite.ts';
import type { FakeGoogle } from './fake-google.ts';

interface Ends {
  after(fn: () => Promise<void>): void;
}

/** Connections of tests: few repetitions, quick ends. */
export const CONNECTION: ConnectionOptions = {
  ...{ connectionLimit: 16, requestTimeoutMs: 10_000, maxRetries: 3, retryTimeoutMs: 10_000 },
  ...{ tlsAllowInsecure: false, tlsRoots: undefined, clock: systemClock, timers: systemTimers },
};

/** One azurite for all tests of a file, started by the first that asks and ended after the last. */
export function sharedAzurite(args: readonly string[] = []): () => Promise<Azurite> {
  const cleanups: (() => Promise<void>)[] = [];
  let started: Promise<Azurite> | undefined;
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  return () => {
    started ??= Azurite.start({ after: (cleanup) => void cleanups.push(cleanup) }, args);
    return started;
  };
}

/** A store in a new container. */
export async function openAzure(t: Ends, azurite: Azurite, options: Partial<AzureOptions> = {}): Promise<BucketStore> {
  const container = options.container ?? (await azurite.container());
  const account = { account: AZURITE_ACCOUNT, accessKey: AZURITE_KEY, endpoint: azurite.endpoint };
  const store = await openAzureStore({ ...CONNECTION, ...account, container, prefix: 'node/', ...options });
  t.after(async () => store.close());
  return store;
}

/** A store in the bucket of the fake, which is open to everybody unless there is an account. */
export async function openGoogle(t: Ends, fake: FakeGoogle, options: Partial<GoogleOptions> = {}): Promise<BucketStore> {
  if (options.serviceAccountFile === undefined) fake.open = true;
  const serviceAccountFile = await fake.keyFile(t, { gcs_base_url: fake.url, disable_oauth: true });
  const store = await openGoogleStore({ ...CONNECTION, bucket: fake.bucket, prefix: 'node/', serviceAccountFile, ...options });
  t.after(async () => store.close());
  return store;
}
