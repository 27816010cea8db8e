// `npm run history:planted [-- name …]`: puts one fault at a time into a copy of the sources, builds it, and lets the history run
// until it finds the fault or its time is over. Prints a table with the times (docs/testing.md, "Planted faults"). Exit code 1 = one
// was not found. HISTORY_MINUTES (2) and HISTORY_SEED (1) from the environment.
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildTests, root, setUp } from './setup.mjs';

const minutes = Number(process.env.HISTORY_MINUTES ?? 2);
const seed = process.env.HISTORY_SEED ?? '1';
const outDir = join('.build', 'all');

await setUp();
buildTests(outDir);
const faultsFile = join(root, outDir, 'test', 'history', 'planted', 'faults.js');
const { plantedFaults } = await import(pathToFileURL(faultsFile).href);
const wanted = process.argv.slice(2);
const chosen = plantedFaults.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
const copy = mkdtempSync(join(tmpdir(), 'planted-'));
const rows = [];
try {
  copyTree();
  for (const fault of chosen) rows.push(await tryFault(fault));
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.stdout.write(
  `${['| fault | what is wrong | found after | as |', '|---|---|---|---|', ...rows.map(({ line }) => line)].join('\n')}\n`,
);
process.exitCode = rows.every(({ found }) => found) ? 0 : 1;

function copyTree() {
  for (const name of ['src', 'bin', 'test', 'package.json', 'package-lock.json', 'tsconfig.json']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  mkdirSync(join(copy, '.build'));
  cpSync(join(root, outDir), join(copy, outDir), { recursive: true });
}

async function tryFault({ name, what, edits }) {
  const originals = new Map();
  for (const { file, find, replace } of edits) {
    const path = join(copy, file);
    const text = readFileSync(path, 'utf8');
    if (!originals.has(path)) originals.set(path, text);
    if (text.split(find).length !== 2) throw new Error(`${name} does not fit ${file} any more: ${find}`);
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
  }
  const built = spawnSync(process.execPath, [join(copy, 'test', 'tooling', 'build.mjs')], { cwd: copy, stdio: ['ignore', 2, 2] });
  const result = built.status === 0 ? await history() : undefined;
  for (const [path, text] of originals) writeFileSync(path, text);
  if (result === undefined) return { found: false, line: `| \`${name}\` | ${what} | **does not compile** | |` };
  const { code, output, secs } = result;
  const [, kind = '', message = ''] = /^FAULT after \d+ s, (\w+): (.*)$/m.exec(output) ?? [];
  const found = code === 1 && kind !== '';
  process.stderr.write(`${name}: ${found ? `found after ${secs} s` : 'NOT FOUND'}\n${output.split('\n').slice(0, 3).join('\n')}\n`);
  const kept = /^kept: (.*)$/m.exec(output)?.[1];
  if (kept !== undefined) rmSync(kept, { recursive: true, force: true });
  const cut = message.replaceAll('|', '/').slice(0, 80);
  return { found, line: `| \`${name}\` | ${what} | ${found ? `${secs} s` : '**not found**'} | ${kind}: ${cut} |` };
}

function history() {
  const main = join(copy, outDir, 'test', 'history', 'main.js');
  const env = { ...process.env, HISTORY_MINUTES: String(minutes), HISTORY_SEED: seed };
  const child = spawn(process.execPath, [main], { cwd: copy, stdio: ['ignore', 'pipe', 2], env });
  let output = '';
  child.stdout.on('data', (data) => {
    output += data.toString();
  });
  const startedMs = Date.now();
  return new Promise((resolve) => {
    child.once('exit', (code) => resolve({ code, output, secs: Math.round((Date.now() - startedMs) / 1000) }));
  });
}
