import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LiveFile } from '../../../src/write/file-index/file-index.ts';
import { planCompaction } from '../../../src/write/maintenance/compaction-plan.ts';
import { limitsFor } from '../../../src/write/parquet/file-windows.ts';

const CHUNK_NS = 600_000_000_000n;
const limits = { chunkDurationNs: CHUNK_NS, fileBytesMax: 1e9, fileRowsMax: 4_000_000 };

/** One file a chunk of a day that is over, and one of the day after. */
function files(rowsPerFile: number): LiveFile[] {
  return Array.from({ length: 145 }, (_, i) => {
    const chunkTimeNs = BigInt(i) * CHUNK_NS;
    return {
      id: i,
      chunkTimeNs,
      minTimeNs: chunkTimeNs,
      maxTimeNs: chunkTimeNs + 1n,
      rowCount: rowsPerFile,
      sizeBytes: 1000,
    } as unknown as LiveFile;
  });
}

const noDeletes = (): boolean => false;

describe('what a merge may be made of', () => {
  test('a day of few rows becomes one file', () => {
    const jobs = planCompaction(files(100), limitsFor(21, limits), noDeletes);
    assert.deepEqual(
      jobs.map((job) => job.files.length),
      [144],
    );
  });

  test('a day of many values becomes several files, none of which sorts more than four million', () => {
    const jobs = planCompaction(files(6000), limitsFor(21, limits), noDeletes);
    assert.equal(jobs.length, 5);
    for (const job of jobs) assert.ok(job.files.length * 6000 * 21 <= 4_000_000);
    assert.equal(
      jobs.reduce((sum, job) => sum + job.files.length, 0),
      144,
    );
  });

  test('hours that are over share a file of one row group while their day goes on', () => {
    const jobs = planCompaction(files(3000).slice(0, 37), limitsFor(21, limits), noDeletes);
    assert.deepEqual(
      jobs.map((job) => job.files.length),
      [33, 3],
    );
    assert.equal(jobs[1]?.files.at(-1)?.id, 35, 'the hour of the newest chunk stays as it is');
  });

  test('an hour of more rows than a row group becomes one file while its day goes on', () => {
    const jobs = planCompaction(files(30_000).slice(0, 13), limitsFor(21, limits), noDeletes);
    assert.deepEqual(
      jobs.map((job) => job.files.map((file) => file.id)),
      [
        [0, 1, 2, 3, 4, 5],
        [6, 7, 8, 9, 10, 11],
      ],
    );
  });

  test('a table of one column or none keeps the limit of rows', () => {
    assert.equal(limitsFor(1, limits).fileRowsMax, 4_000_000);
    assert.equal(limitsFor(2, limits).fileRowsMax, 2_000_000);
    assert.equal(limitsFor(0, limits).fileRowsMax, 4_000_000);
  });
});
