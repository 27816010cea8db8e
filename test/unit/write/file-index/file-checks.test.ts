import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '../../../../src/shared/logger.ts';
import { type CheckedFile, FileChecks } from '../../../../src/write/parquet/file-checks.ts';

function setUp(onDisk: Map<string, number>) {
  const reads: string[] = [];
  const errors: unknown[] = [];
  const clock = { ms: 0 };
  const checks = new FileChecks<CheckedFile>({
    checksum: async ({ path }) => {
      reads.push(path);
      const crc = onDisk.get(path);
      if (crc === undefined) throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
      return crc;
    },
    monotonicMs: () => clock.ms,
    log: { ...silentLogger, error: (_message, fields) => errors.push(fields) },
  });
  return { checks, reads, errors, clock };
}

const DAY_MS = 24 * 3_600_000;

describe('checks of Parquet files', () => {
  it('reads a file once a day', async () => {
    const { checks, reads, clock } = setUp(new Map([['a', 1]]));
    const file = { path: 'a', crc32: 1 };
    await checks.verify([file]);
    assert.equal(checks.verify([file]), undefined);
    clock.ms = DAY_MS + 1;
    await checks.verify([file]);
    assert.deepEqual(reads, ['a', 'a']);
  });

  it('names a damaged file, logs it once, and believes it again when it was put back', async () => {
    const onDisk = new Map([
      ['a', 1],
      ['b', 3],
    ]);
    const { checks, errors } = setUp(onDisk);
    const files = [
      { path: 'a', crc32: 1 },
      { path: 'b', crc32: 2 },
    ];
    for (let i = 0; i < 2; i++) {
      await assert.rejects(async () => checks.verify(files), { code: 'PARQUET_DAMAGED', status: 500, message: /file b is damaged/ });
    }
    assert.deepEqual(errors, [{ path: 'b' }]);
    assert.equal(checks.damagedFiles, 1);
    onDisk.set('b', 2);
    await checks.verify(files);
    assert.equal(checks.damagedFiles, 0);
  });

  it('names a file that is gone', async () => {
    const { checks } = setUp(new Map());
    await assert.rejects(async () => checks.verify([{ path: 'a', crc32: 1 }]), {
      code: 'PARQUET_UNREADABLE',
      message: /file a cannot be read: .*no such file/,
    });
  });

  it('does not read files without a known checksum', () => {
    const { checks } = setUp(new Map());
    assert.equal(checks.verify([{ path: 'a' }]), undefined);
  });
});
