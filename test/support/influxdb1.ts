import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { influxdb1 } from '../bench/peers/influxdb1.ts';
import { ensureDebianPackage } from '../tooling/ensure-debian-package.ts';
import { testDirectory } from './server.ts';
import { until } from './until.ts';

const found = ensureDebianPackage('influxd', 'influxdb');

/** Why there is no InfluxDB 1 on this machine; undefined = there is. */
export const influxdb1Missing: string | undefined = found.kind === 'missing' ? found.reason : undefined;

/** Its ports are free only until somebody else takes them: so often others are tried. */
const ATTEMPTS_MAX = 5;

/** Starts Debian's InfluxDB 1.6.7 for a test. Resolves with its address. */
export async function startInfluxdb1(t: { after(fn: () => Promise<void>): void }): Promise<string> {
  if (found.kind === 'missing') throw new Error(found.reason);
  for (let attempt = 1; ; attempt++) {
    const port = await freePorts();
    const { args } = influxdb1.command(await testDirectory(t), port);
    const child = spawn(found.path, args, { stdio: 'ignore' });
    const ended = once(child, 'exit');
    t.after(async () => {
      child.kill();
      await ended;
    });
    const url = `http://127.0.0.1:${port}`;
    const isUp = await until(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return 'ended';
      return (await fetch(`${url}/ping`).catch(() => undefined))?.status === 204 ? 'up' : undefined;
    });
    if (isUp === 'up') return url;
    if (attempt === ATTEMPTS_MAX) throw new Error(`InfluxDB 1 ends at once: ${child.exitCode ?? child.signalCode}`);
  }
}

/** The first of two ports in a row that are free. */
async function freePorts(): Promise<number> {
  for (;;) {
    const [first, second] = [createServer(), createServer()];
    try {
      await once(first.listen(0, '127.0.0.1'), 'listening');
      const { port } = first.address() as AddressInfo;
      await once(second.listen(port + 1, '127.0.0.1'), 'listening');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    } finally {
      for (const server of [first, second]) await new Promise((closed) => server.close(closed));
    }
  }
}
