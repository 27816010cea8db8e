import { writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { testCertificate, testKey } from '../http/tls-fixture.ts';
import { emptyDirectory } from './bucket-servers.ts';

/** Speaks TLS, with a certificate that nobody trusts, before a plain server on loopback. Returns its address and a file with the certificate. */
export async function tlsFront(
  t: { after(fn: () => Promise<void>): void },
  plainUrl: string,
): Promise<{ readonly url: string; readonly caFile: string }> {
  const port = Number(new URL(plainUrl).port);
  const open = new Set<Socket>();
  const server = createServer({ key: testKey, cert: testCertificate }, (outside) => {
    const inside = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [outside, inside],
      [inside, outside],
    ] as const) {
      open.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        open.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    for (const socket of open) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const caFile = join(await emptyDirectory(t), 'ca.pem');
  await writeFile(caFile, testCertificate);
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, caFile };
}
