import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Engine } from '../../../src/duckdb/index.ts';

const DISK_BYTES = 40 * 1024 * 1024;
const ATTEMPTS_MAX = 200;

/** A small disk of its own; undefined without the right to mount one. */
function smallDisk(): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-spill-'));
  const mounted = process.platform === 'linux' && spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', directory]);
  if (mounted !== false && mounted.status === 0) return directory;
  rmSync(directory, { recursive: true });
  return undefined;
}

function unmount(directory: string): void {
  spawnSync('umount', ['-l', directory]);
  rmSync(directory, { recursive: true, force: true });
}

const probe = smallDisk();
if (probe !== undefined) unmount(probe);
const reason = probe === undefined ? ' (skipped: needs the right to mount a tmpfs)' : '';

test(`a full spill directory that takes DuckDB down is noticed as such${reason}`, { skip: probe === undefined }, async (t) => {
  const directory = smallDisk() as string;
  t.after(() => unmount(directory));
  const engine = await Engine.open({
    threads: 2,
    memoryLimitBytes: 64 * 1024 * 1024,
    tempDirectory: directory,
    allowedDirectories: [directory],
    setupStatements: [],
  });
  t.after(() => engine.close());
  // DuckDB looks at the room once, when it first spills; what others take later it does not know.
  await engine.run('CREATE TABLE warm AS SELECT range i, md5(range::VARCHAR) s, hash(range) h FROM range(1200000)');
  await engine.run('DROP TABLE warm');
  const { bavail, bsize } = statfsSync(directory);
  writeFileSync(join(directory, 'ballast'), Buffer.alloc(bavail * bsize));
  const told: string[] = [];
  engine.onFailure((failure) => told.push(String(failure.cause)));
  let refusals = 0;
  const fill = async (name: string): Promise<void> => {
    for (const statement of [
      `CREATE TABLE ${name} (i BIGINT, s VARCHAR, h UBIGINT)`,
      `INSERT INTO ${name} SELECT range, md5(range::VARCHAR), hash(range) FROM range(240000)`,
      `DELETE FROM ${name} WHERE i % 3 = 0`,
      'FORCE CHECKPOINT',
      `DROP TABLE ${name}`,
    ]) {
      await engine.run(statement).catch(() => refusals++);
    }
  };
  for (let attempt = 0; attempt < ATTEMPTS_MAX && engine.failure === undefined; attempt++) {
    await Promise.all([0, 1, 2, 3].map((writer) => fill(`t${writer}_${attempt}`)));
  }
  assert.equal(engine.failure?.code, 'ENGINE_RESTARTING');
  assert.equal(told.length, 1);
  assert.match(told[0] as string, /FATAL|invalidated/);
  assert.ok(refusals > 0);
});
