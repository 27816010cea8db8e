import { createHash } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { readFile, realpath, stat, unlink, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DirectoryOption, directoryInUse, systemErrorCode } from './errors.ts';

const SOCKET_NAME = '.lock.sock';
const PID_NAME = '.lock.pid';

/** Bytes that fit into a socket address on every Unix. */
const SOCKET_PATH_BYTES_MAX = 100;

/** A held lock. */
export interface NodeLock {
  /** Idempotent. */
  release(): Promise<void>;
}

/**
 * Makes this process the only user of a node's directory, or throws `StorageStartupError` DATA_DIR_IN_USE at once.
 *
 * Node offers no file locks, and a pid file is wrong as soon as pids repeat or containers share a volume. A listening
 * socket is released by the kernel however the process ends, so the lock is up to two of them:
 * - Linux: an abstract socket named after the directory's device and inode. The kernel makes taking it atomic.
 * - A socket file inside the directory, which also works between containers that share the volume but not the network
 *   name space. A socket file without a listener is what a crash leaves: it is removed. Windows has a named pipe instead.
 * A file system that cannot hold sockets leaves only the first (Linux) or a socket in the system's temporary directory.
 * @param option where the directory comes from, for the message
 */
export async function acquireNodeLock(directory: string, option: DirectoryOption = '--data-dir'): Promise<NodeLock> {
  const servers: Server[] = [];
  const pidPath = join(directory, PID_NAME);
  let fd: number | undefined;
  const release = async () => {
    const held = servers.splice(0);
    if (held.length > 0) await unlink(pidPath).catch(() => undefined); // only a hint for humans
    await Promise.all(held.map(closeServer));
    if (fd !== undefined) closeSync(fd);
    fd = undefined;
  };
  try {
    if (process.platform === 'linux') {
      servers.push(await listen(await abstractName(directory)));
      fd = openSync(directory, 'r');
    }
    const server = await listenInside(directory, fd);
    if (server !== undefined) servers.push(server);
    await writeFile(pidPath, `${process.pid}\n`).catch(() => undefined); // only a hint for humans
    return { release };
  } catch (error) {
    const inUse = systemErrorCode(error) === 'EADDRINUSE';
    const pid = inUse ? await holderPid(pidPath) : undefined;
    const held = servers.splice(0);
    await Promise.all(held.map(closeServer));
    await release();
    throw inUse ? directoryInUse(directory, pid, option) : error;
  }
}

/** Whether a living process holds the lock of a directory. `absent` = there is no lock, nor the remains of one. */
export async function nodeLockState(directory: string): Promise<'held' | 'stale' | 'absent'> {
  const path = await socketPath(directory, undefined);
  if (path.startsWith(directory)) {
    const exists = await stat(path).catch(() => undefined);
    if (exists === undefined) return 'absent';
  }
  return (await isListening(path)) ? 'held' : 'stale';
}

async function listenInside(directory: string, fd: number | undefined): Promise<Server | undefined> {
  const path = await socketPath(directory, fd);
  for (let attempt = 0; ; attempt++) {
    try {
      return await listen(path);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code !== 'EADDRINUSE') {
        if (fd !== undefined) return undefined; // the abstract socket holds
        return listen(fallbackPath(await realpath(directory)));
      }
      if (attempt === 1 || (await isListening(path))) throw error;
      await unlink(path).catch(() => undefined); // the second attempt decides
    }
  }
}

/** Long directories do not fit into a socket address: Linux reaches them through the open directory. */
async function socketPath(directory: string, fd: number | undefined): Promise<string> {
  const real = await realpath(directory);
  if (process.platform === 'win32') return `\\\\.\\pipe\\influxdb3-${digest(real)}`;
  const inside = join(directory, SOCKET_NAME);
  if (Buffer.byteLength(inside) <= SOCKET_PATH_BYTES_MAX) return inside;
  return fd === undefined ? fallbackPath(real) : `/proc/self/fd/${fd}/${SOCKET_NAME}`;
}

function fallbackPath(realDirectory: string): string {
  return join(tmpdir(), `influxdb3-${digest(realDirectory)}.sock`);
}

async function abstractName(directory: string): Promise<string> {
  const { dev, ino } = await stat(directory, { bigint: true });
  return `\0influxdb3-${dev}-${ino}`;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => undefined); // a failed accept does not release the lock
      server.unref();
      resolve(server);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** The kernel accepts for a listener, so this answers at once however busy the holder is. */
function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = systemErrorCode(error);
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT' && code !== 'ENOTSOCK');
    });
  });
}

async function holderPid(pidPath: string): Promise<number | undefined> {
  const text = await readFile(pidPath, 'utf8').catch(() => '');
  const pid = Number.parseInt(text, 10);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}
