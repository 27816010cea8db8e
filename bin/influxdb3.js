#!/usr/bin/env node
'use strict';
// CommonJS: the loader of ES modules would start the thread pool before its size is set.
const { existsSync } = require('node:fs');
const module_ = require('node:module');
const { join } = require('node:path');
const { pathToFileURL } = require('node:url');

// Queries and disk syncs share Node.js's thread pool, whose four threads a few long queries would fill.
process.env.UV_THREADPOOL_SIZE ??= '16';

// Node.js 22.1 and newer keep compiled code between starts.
module_.enableCompileCache?.();

const main = join(__dirname, '..', 'dist', 'bundle', 'main.js');
if (existsSync(main)) {
  // A failure ends the process with its text: that is Node.js's answer to a rejection that nobody handles.
  void import(pathToFileURL(main).href).then((program) => program.main());
} else {
  console.error('influxdb3 is not built yet: run `npm run build` in the project folder first (`npm start` does it for you)');
  process.exitCode = 1;
}
