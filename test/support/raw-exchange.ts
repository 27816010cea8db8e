import { connect } from 'node:net';

/** Sends bytes, part by part, on a connection of their own; resolves with what has come when it matches, or when the server closes. */
export async function rawExchange(port: number, parts: readonly string[], wanted: RegExp): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  let received = '';
  socket.setEncoding('latin1');
  const seen = new Promise<void>((resolve) => {
    socket.on('data', (text: string) => {
      received += text;
      if (wanted.test(received)) resolve();
    });
    socket.on('close', () => resolve());
  });
  for (const part of parts) await new Promise<void>((resolve) => socket.write(part, () => resolve()));
  await seen;
  socket.destroy();
  return received;
}
