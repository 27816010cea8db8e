import { spawn } from 'node:child_process';

/**
 * Tells systemd that the server answers, when it asked for that (`Type=notify` with `NotifyAccess=all`): Node.js has no sockets of the
 * kind that systemd listens on, so its own `systemd-notify` sends the message. A message that cannot be sent is logged by `onFailure`.
 */
export function notifyReady(environment: Readonly<Record<string, string | undefined>>, onFailure: (reason: string) => void): void {
  if ((environment['NOTIFY_SOCKET'] ?? '') === '') return;
  const child = spawn('systemd-notify', ['--ready', `--pid=${process.pid}`, '--status=answers requests'], {
    env: { PATH: environment['PATH'], NOTIFY_SOCKET: environment['NOTIFY_SOCKET'] },
    stdio: 'ignore',
  });
  child.once('error', (error) => onFailure(error.message));
  child.once('exit', (code) => {
    if (code !== 0) onFailure(`systemd-notify ended with ${String(code)}`);
  });
}
