import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { encodeFrame, FRAME_TYPES, FRAME_VERSION, type Frame, FrameReader } from '../../../src/processing/python/frames.ts';
import { until } from '../../support/until.ts';

const SCRIPT = join(fileURLToPath(new URL('../../../../..', import.meta.url)), 'src', 'processing', 'python', 'plugin_host.py');

/** `plugin_host.py` as the server starts it, and what it sends. */
class HostProcess {
  readonly frames: Frame[] = [];
  readonly ended: Promise<unknown>;
  printed = '';
  readonly #socket: Duplex;

  constructor(t: { after(fn: () => void): void }) {
    const child = spawn('python3', ['-u', SCRIPT, '0'], { stdio: ['ignore', 'pipe', 'inherit', 'pipe', 'pipe'], detached: true });
    t.after(() => void child.kill('SIGKILL'));
    this.ended = once(child, 'exit');
    child.stdout?.on('data', (data: Buffer) => {
      this.printed += data.toString();
    });
    const reader = new FrameReader((frame) => this.frames.push(frame));
    this.#socket = child.stdio[3] as Duplex;
    this.#socket.on('data', (data: Buffer) => reader.take(data));
    this.#socket.on('error', () => undefined); // it ends with the process
  }

  send(...frame: Parameters<typeof encodeFrame>): void {
    for (const part of encodeFrame(...frame)) this.#socket.write(part);
  }

  /** Calls a plugin at the beginning of 1970. */
  call(call: number, source: string): void {
    const plugin = { plugin: 'p.py', isDirectory: false, path: null, source, version: '1' };
    this.send(FRAME_TYPES.call, call, { kind: 'schedule', database: 'db', args: null, cacheName: '', timeMs: 0, ...plugin });
  }

  /** The first frame of a type, once it is there. */
  frame(type: number): Promise<Frame> {
    return until(() => this.frames.find((frame) => frame.type === type));
  }
}

const CLEANS_UP = `
import time
def process_scheduled_call(influxdb3_local, call_time, args=None):
    influxdb3_local.info("begun")
    try:
        while True:
            time.sleep(0.01)
    except KeyboardInterrupt:
        time.sleep(0.05)
        print("cleaned up", flush=True)
        raise
`;

const ASKS = `
def process_scheduled_call(influxdb3_local, call_time, args=None):
    influxdb3_local.info(influxdb3_local.query("SELECT 1"))
`;

describe('the process of Python plugins', () => {
  it('cancels one call and leaves another one that waits for an answer alone', async (t) => {
    const host = new HostProcess(t);
    await host.frame(FRAME_TYPES.ready);
    for (const call of [1, 2]) host.call(call, ASKS);
    const questions = await until(() =>
      host.frames.filter(({ type }) => type === FRAME_TYPES.query).length === 2 ? host.frames : undefined,
    );
    host.send(FRAME_TYPES.cancel, 1, {});
    const failed = await host.frame(FRAME_TYPES.fail);
    assert.equal(failed.call, 1);
    assert.match(String(failed.head['text']), /^KeyboardInterrupt: /);
    const question = questions.find(({ call, type }) => type === FRAME_TYPES.query && call === 2)?.head['question'];
    host.send(FRAME_TYPES.answer, 2, { question });
    assert.deepEqual([(await host.frame(FRAME_TYPES.log)).head['text'], (await host.frame(FRAME_TYPES.done)).call], ['[]', 2]);
  });

  it('lets a call that is cancelled clean up before it ends', async (t) => {
    const host = new HostProcess(t);
    assert.equal((await host.frame(FRAME_TYPES.ready)).head['version'], FRAME_VERSION);
    host.call(7, CLEANS_UP);
    assert.equal((await host.frame(FRAME_TYPES.log)).head['text'], 'begun');
    host.send(FRAME_TYPES.cancel, 7, {});
    host.send(FRAME_TYPES.shutdown, 0, {});
    await host.ended;
    assert.equal(host.printed, 'cleaned up\n');
    const failed = await host.frame(FRAME_TYPES.fail);
    assert.deepEqual([failed.call, failed.head['text']], [7, 'KeyboardInterrupt: ']);
  });
});
