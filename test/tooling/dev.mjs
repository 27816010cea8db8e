// `npm run dev [-- options]`: serves, and builds and restarts after every change of src.
// `npm run debug [-- options]`: builds, then serves once under a debugger.
import { spawn } from 'node:child_process';
import { watch } from 'node:fs';
import { join } from 'node:path';
import { root, setUp } from './setup.mjs';

/** Editors write a file in several steps. */
const SETTLE_MS = 150;

const [mode, ...options] = process.argv.slice(2);
await setUp();
if (mode === 'debug') {
  start(['--inspect-brk', '--enable-source-maps']).on('exit', (code) => process.exit(code ?? 1));
} else {
  let server = start(['--enable-source-maps']);
  let timer;
  let restarting = false;
  watch(join(root, 'src'), { recursive: true }, () => {
    clearTimeout(timer);
    timer = setTimeout(restart, SETTLE_MS);
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, async () => {
      clearTimeout(timer);
      await ended(server);
      process.exit(0);
    });
  }

  async function restart() {
    if (restarting) {
      timer = setTimeout(restart, SETTLE_MS);
      return;
    }
    restarting = true;
    try {
      if (await built()) {
        await ended(server);
        server = start(['--enable-source-maps']);
      }
    } finally {
      restarting = false;
    }
  }
}

function start(flags) {
  return spawn(process.execPath, [...flags, join(root, 'bin', 'influxdb3.js'), 'serve', ...options], { stdio: 'inherit' });
}

/** A mistake in the sources leaves the old server running. */
async function built() {
  return new Promise((resolve) => {
    const build = spawn(process.execPath, [join(root, 'test', 'tooling', 'build.mjs')], { stdio: 'inherit' });
    build.on('exit', (code) => resolve(code === 0));
  });
}

function ended(child) {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.on('exit', resolve);
    child.kill('SIGTERM');
  });
}
