import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chunkStartNs, type PlannedPeriod, SnapshotPlanner } from '../../../../src/write/snapshot/index.ts';

const SECOND = 1_000_000_000n;
const MINUTE = 60n * SECOND;
const GEN1 = 10n * MINUTE;
const NOON = 1_781_697_600n * SECOND;

function planner(periods: readonly PlannedPeriod[] = [], walFilesPerSnapshot = 600): SnapshotPlanner {
  return new SnapshotPlanner({ walFilesPerSnapshot, gen1DurationNs: GEN1, periods });
}

const period = (fileNumber: number, minTimeNs: bigint, maxTimeNs = minTimeNs): PlannedPeriod => ({ fileNumber, minTimeNs, maxTimeNs });

test('one write a second: the 900th file covers the first 600, 300 stay', () => {
  const plans = planner();
  for (let i = 1; i <= 899; i++) {
    plans.addPeriod(period(i, NOON + BigInt(i - 1) * SECOND));
    assert.equal(plans.plan({ forced: false }), undefined);
  }
  plans.addPeriod(period(900, NOON + 899n * SECOND));
  const plan = plans.plan({ forced: false });
  assert.deepEqual(plan, {
    endTimeMarkerNs: NOON + 10n * MINUTE,
    firstFileNumber: 1,
    lastFileNumber: 600,
    forced: false,
  });
  plans.accept(plan);
  assert.equal(plans.periodCount, 300);
});

test('backfill of one old time: nothing until three times the size, then everything', () => {
  const plans = planner();
  for (let i = 1; i < 1800; i++) {
    plans.addPeriod(period(i, NOON + MINUTE));
    assert.equal(plans.plan({ forced: false }), undefined);
  }
  plans.addPeriod(period(1800, NOON + MINUTE));
  const plan = plans.plan({ forced: false });
  assert.deepEqual(plan, { endTimeMarkerNs: NOON + GEN1, firstFileNumber: 1, lastFileNumber: 1800, forced: true });
});

test('forced: everything, up to the end of the newest chunk', () => {
  const plans = planner([period(3, NOON + 25n * MINUTE), period(5, NOON)]);
  assert.deepEqual(plans.plan({ forced: true }), {
    endTimeMarkerNs: NOON + 30n * MINUTE,
    firstFileNumber: 3,
    lastFileNumber: 5,
    forced: true,
  });
  assert.equal(planner().plan({ forced: true }), undefined);
});

test('a plan that was not accepted is planned again', () => {
  const plans = planner([period(1, NOON), period(2, NOON)]);
  assert.deepEqual(plans.plan({ forced: true }), plans.plan({ forced: true }));
  const plan = plans.plan({ forced: true });
  assert.ok(plan);
  plans.addPeriod(period(3, NOON));
  plans.accept(plan);
  assert.equal(plans.periodCount, 1);
  assert.ok(plans.plan({ forced: true }));
});

test('the covered run ends at the first file with a row of the newest chunk', () => {
  const plans = planner([period(1, NOON), period(2, NOON, NOON + 20n * MINUTE), period(3, NOON), period(4, NOON + 21n * MINUTE)], 2);
  assert.deepEqual(plans.plan({ forced: false }), {
    endTimeMarkerNs: NOON + 20n * MINUTE,
    firstFileNumber: 1,
    lastFileNumber: 1,
    forced: false,
  });
});

test('before 1970 no covered row starts at or after the marker', () => {
  const times = [-25n * MINUTE, -15n * MINUTE, -6n * MINUTE, -4n * MINUTE, -1n, 0n, MINUTE, 11n * MINUTE];
  const plans = planner([], 1);
  for (const [i, time] of times.entries()) {
    plans.addPeriod(period(i + 1, time));
    const plan = plans.plan({ forced: false });
    if (plan === undefined) continue;
    for (const covered of times.slice(0, plan.lastFileNumber)) {
      assert.ok(chunkStartNs(covered, GEN1) < plan.endTimeMarkerNs, `${covered} would be lost`);
    }
  }
  assert.ok(plans.plan({ forced: false }));
});

test('chunk starts are cut towards zero', () => {
  assert.equal(chunkStartNs(-1n, GEN1), 0n);
  assert.equal(chunkStartNs(GEN1 - 1n, GEN1), 0n);
  assert.equal(chunkStartNs(GEN1, GEN1), GEN1);
  assert.equal(chunkStartNs(-GEN1 - 1n, GEN1), -GEN1);
});
