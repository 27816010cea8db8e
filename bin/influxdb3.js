#!/usr/bin/env node
import { existsSync } from 'node:fs';
import module from 'node:module';

// Queries and disk syncs share the runtime's thread pool, whose four threads a few long queries would fill. Set before first use.
process.env.UV_THREADPOOL_SIZE ??= '16';

// Node.js 22.1 and newer keep compiled code between starts.
module.enableCompileCache?.();

const main = new URL('../dist/bundle/main.js', import.meta.url);
if (existsSync(main)) {
  await (await import(main.href)).main();
} else {
  console.error('influxdb3 is not built yet: run `npm run build` in the project folder first (`npm start` does it for you)');
  process.exitCode = 1;
}
