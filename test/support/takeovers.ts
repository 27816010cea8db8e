import assert from 'node:assert/strict';
import { type NumberedWriter, RESTLESS, startBucketServer } from './bucket-servers.ts';
import type { TestServer } from './server.ts';
import { until } from './until.ts';

/** In which state a server is when the next one starts. */
export type Takeover = 'frozen' | 'killed' | 'living';

/** All ways, as often as `TAKEOVERS` says; without it the given ones once. */
export function takeoversOf(usual: readonly Takeover[]): readonly Takeover[] {
  const rounds = process.env['TAKEOVERS'];
  if (rounds === undefined) return usual;
  return Array.from({ length: Number(rounds) }, () => ['frozen', 'killed', 'living'] as const).flat();
}

/**
 * Starts servers on one store, one after the other, while four clients write to the one before. Each that lives on must end
 * with code 70 and the reason. Returns the last one, how many ended so, and what all servers said.
 */
export async function takeOver(
  t: { after(fn: () => Promise<void>): void },
  storeArgs: readonly string[],
  writer: NumberedWriter,
  ways: readonly Takeover[],
): Promise<{ readonly server: TestServer; readonly ended: number; readonly output: string }> {
  let server = await startBucketServer(t, storeArgs, { args: RESTLESS });
  let ended = 0;
  let output = '';
  for (const how of ways) {
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
      assert.equal(await until(() => old.child.exitCode ?? undefined), 70, old.output);
      assert.match(old.output, /another process has written '.*' ahead of this one/);
      ended++;
    }
    over = true;
    await writing;
    output += old.output;
  }
  return { server, ended, output };
}
