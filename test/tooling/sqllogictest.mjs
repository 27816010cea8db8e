// `node test/tooling/sqllogictest.mjs <datafusion checkout> [--list <kind>] [--file <part>] [--url <server>]`: asks a server
// the records of DataFusion's sqllogictest files that need no stored table, or only tables made of values, and counts by kind what
// it answers. Nothing of the checkout is copied; it is named by its path and read.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { listFiles, root, setUp } from './setup.mjs';
import { readRecords } from './sqllogictest-records.mjs';
import { isSameInAnotherOrder, isSameResult, resultLines } from './sqllogictest-values.mjs';

const KINDS = ['equal', 'refused as wanted', 'equal in another order', 'different', 'answered where DataFusion refuses', 'refused'];
/** Questions under way at once. */
const LANES = 4;
/** An answer is read twice, as a table and as objects; where rows come in any order, both may not fit together at once. */
const TRIES = 4;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { list: { type: 'string' }, file: { type: 'string' }, url: { type: 'string' }, files: { type: 'boolean' } },
});
const [checkout] = positionals;
const folder = join(checkout ?? '', 'datafusion', 'sqllogictest', 'test_files');
if (checkout === undefined || !existsSync(folder)) {
  process.stderr.write(
    'usage: node test/tooling/sqllogictest.mjs <path of a datafusion checkout> [--list <kind>] [--file <part>] [--files]\n',
  );
  process.exit(2);
}

const records = listFiles(folder)
  .filter((file) => file.endsWith('.slt') && (values.file === undefined || relative(folder, file).includes(values.file)))
  // Functions of Spark are registered in neither.
  .filter((file) => !relative(folder, file).startsWith('spark'))
  .sort()
  .flatMap((file) => readRecords(readFileSync(file, 'utf8'), relative(folder, file)));
const server = values.url === undefined ? await startServer() : { url: values.url, stop: () => undefined };
try {
  report(await askAll(server.url, records));
} finally {
  server.stop();
}

async function askAll(url, all) {
  const results = new Array(all.length);
  let next = 0;
  const lane = async () => {
    while (next < all.length) {
      const at = next++;
      results[at] = { record: all[at], ...(await ask(url, all[at])) };
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return results;
}

async function ask(url, record) {
  let found = await askOnce(url, record);
  for (let i = 1; i < TRIES && found.kind === 'different'; i++) found = await askOnce(url, record);
  return found;
}

async function askOnce(url, record) {
  const response = await query(url, record.sql, 'pretty');
  if (!response.ok) return { kind: record.wantsError ? 'refused as wanted' : 'refused', answer: response.text };
  if (record.wantsError) return { kind: 'answered where DataFusion refuses', answer: response.text };
  const objects = await query(url, record.sql, 'json');
  const lines = resultLines(record, response.text, objects.ok ? objects.text : undefined);
  if (lines === undefined) return { kind: 'different', answer: response.text };
  const kind = isSameResult(record, lines) ? 'equal' : isSameInAnotherOrder(record, lines) ? 'equal in another order' : 'different';
  return { kind, answer: lines.join('\n') };
}

async function query(url, sql, format) {
  try {
    const signal = AbortSignal.timeout(20_000);
    const response = await fetch(`${url}/api/v3/query_sql`, {
      method: 'POST',
      body: JSON.stringify({ db: 'slt', q: sql, format }),
      signal,
    });
    const text = await response.text();
    return { ok: response.status === 200, text };
  } catch (error) {
    return { ok: false, text: `no answer: ${error.cause ?? error}` };
  }
}

function report(results) {
  const counts = new Map(KINDS.map((kind) => [kind, 0]));
  const byFile = new Map();
  for (const { record, kind } of results) {
    counts.set(kind, counts.get(kind) + 1);
    const row = byFile.get(record.file) ?? new Map();
    row.set(kind, (row.get(kind) ?? 0) + 1);
    byFile.set(record.file, row);
  }
  if (values.list !== undefined) {
    for (const { record, kind, answer } of results) {
      if (kind !== values.list && values.list !== 'all') continue;
      process.stdout.write(
        `${kind}: ${record.file}:${record.line}\n${record.sql}\nwanted:\n${record.expected.join('\n')}\nfound:\n${answer.slice(0, 1000)}\n\n`,
      );
    }
  }
  if (values.files === true) {
    for (const [file, row] of byFile) process.stdout.write(`${file}: ${[...row].map(([kind, count]) => `${count} ${kind}`).join(', ')}\n`);
  }
  const without = new Map(KINDS.map((kind) => [kind, results.filter((result) => result.kind === kind && !result.record.hasTables).length]));
  const line = (all, plain, what) => process.stdout.write(`${String(all).padStart(6)} ${String(plain).padStart(14)} ${what}\n`);
  line('all', 'without tables', '');
  for (const [kind, count] of counts) line(count, without.get(kind), kind);
  line(results.length, results.filter(({ record }) => !record.hasTables).length, 'asked');
}

/** A server of this project with nothing in it. With one thread, rows come in the same order each time. */
async function startServer() {
  await setUp();
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-slt-'));
  const listener = join(directory, 'listener');
  const args = [
    'serve',
    '--object-store',
    'memory',
    '--node-id',
    'slt',
    '--http-bind',
    '127.0.0.1:0',
    '--without-auth',
    '--num-datafusion-threads',
    '1',
  ];
  const child = spawn(process.execPath, [join(root, 'bin', 'influxdb3.js'), ...args, '--tcp-listener-file-path', listener], {
    env: { ...process.env, INFLUXDB3_TELEMETRY_DISABLE_UPLOAD: 'true', HOME: directory },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  while (!existsSync(listener) || readFileSync(listener, 'utf8') === '') {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await new Promise((done) => setTimeout(done, 20));
  }
  const url = `http://${readFileSync(listener, 'utf8')}`;
  const written = await fetch(`${url}/api/v3/write_lp?db=slt`, { method: 'POST', body: 'used_by_nobody value=1 1' });
  if (written.status !== 204) throw new Error(await written.text());
  return {
    url,
    stop: () => {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
