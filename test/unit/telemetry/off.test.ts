// Runs alone: counts the resources of its process.
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { harness, OFF, ON } from './support.ts';

describe('off', () => {
  it('nothing is read, counted, scheduled, sent or written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'telemetry-off-'));
    let touched = 0;
    const touch = <T>(value: T) => {
      touched += 1;
      return value;
    };
    const { telemetry, time } = harness({
      resolution: OFF,
      ledgerFile: join(folder, 'node', 'telemetry', 'ledger.jsonl'),
      readProcess: async () => touch({ cpuPercent: 0, rssBytes: 0 }),
      send: async () => touch({ kind: 'answered', status: 204 } as const),
      installedPackages: () => touch([]),
      sources: {
        parquetTotals: () => touch({ fileCount: 0, sizeBytes: 0, rowCount: 0 }),
        triggerCounts: () => touch({ walSingle: 0, walAll: 0, schedule: 0, request: 0 }),
      },
    });
    const resources = process.getActiveResourcesInfo().length;
    telemetry.start();
    telemetry.recorder.recordWrite(1, 1);
    telemetry.recorder.recordQuery();
    telemetry.recordInvocation('d', 't', 'p', 'process_writes');
    await time.advance(3 * 3_600_000);
    assert.equal(telemetry.preview().length, 0);
    assert.equal(telemetry.snapshotJson(), '');
    assert.deepEqual(telemetry.history(), []);
    assert.deepEqual(await telemetry.ledger(), []);
    assert.equal(telemetry.status().state, 'off');
    await telemetry.stop();
    assert.equal(touched, 0);
    assert.equal(time.timersMade, 0);
    assert.equal(process.getActiveResourcesInfo().length, resources);
    assert.deepEqual(readdirSync(folder), []);
  });

  it('the start lines are at debug level, with the exact text', () => {
    const off = harness({ resolution: OFF });
    const on = harness({ resolution: ON });
    assert.deepEqual(
      off.logger.lines.map((line) => [line.level, line.message]),
      [['debug', 'Initializing TelemetryStore with upload disabled.']],
    );
    assert.deepEqual(
      on.logger.lines.map((line) => [line.level, line.message]),
      [['debug', 'Initializing TelemetryStore with upload enabled for https://collector.example.']],
    );
  });
});
