// Joins the compiled modules and the packages they use into a few files below dist/bundle: loading hundreds of small
// ones takes twice as long as everything else that a start does. What is imported lazily stays in files of its own;
// of a CommonJS package such an import has the `default` only.
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectTypes, writeLicenses } from './package-files.mjs';

/** Native or WebAssembly, found through their own folders. */
const LEFT_OUTSIDE = ['@duckdb/node-bindings*', '@guanmingchiu/sqlparser-ts', '@swc/wasm-typescript'];

/** Schema compilers of fastify: it asks for them only where a route has a schema, and none has. */
const NEVER_LOADED = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler'];

/** Packages written for `require` find Node.js's own modules with it. */
const REQUIRE = "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);";

/** Bundles `dist` of a project folder. Throws when a module cannot be found. */
export async function bundle(root) {
  const { build } = await import('esbuild');
  const dist = join(root, 'dist');
  const program = await build({
    entryPoints: {
      main: join(dist, 'cli', 'main.js'),
      embed: join(dist, 'embed', 'index.js'),
      plugin: join(dist, 'processing', 'javascript', 'plugin.js'),
      'plugin-worker': join(dist, 'processing', 'javascript', 'plugin-worker.js'),
      'typescript-hooks': join(dist, 'processing', 'javascript', 'typescript-hooks.js'),
    },
    outdir: join(dist, 'bundle'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    legalComments: 'linked',
    external: [...LEFT_OUTSIDE, ...NEVER_LOADED],
    banner: { js: REQUIRE },
    logLevel: 'error',
    metafile: true,
  });
  const page = await build({
    entryPoints: { app: join(root, 'src', 'explorer', 'page', 'main.ts') },
    outdir: join(dist, 'bundle', 'explorer'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    logLevel: 'error',
    metafile: true,
  });
  const inputs = [program, page].flatMap(({ metafile }) => Object.keys(metafile.inputs));
  writeLicenses(root, inputs, join(dist, 'bundle', 'LICENSES.txt'));
  collectTypes(dist);
  copyFileSync(join(root, 'src', 'processing', 'python', 'plugin_host.py'), join(dist, 'bundle', 'plugin_host.py'));
}
