import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CellHistogram } from '../../../../src/server/http/metrics/request-histogram.ts';
import { Histogram, Registry } from '../../../../src/shared/prometheus.ts';

const NAME = 'seconds';
const HELP = 'some seconds';
const BOUNDS = [0.0005, 0.5, 10];

test('prints what the library would print', async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const cells = new CellHistogram({ name: NAME, help: HELP, bounds: BOUNDS }, ours);
  const histogram = new Histogram({ name: NAME, help: HELP, buckets: BOUNDS, labelNames: ['path', 'status'], registers: [theirs] });
  assert.equal(await ours.metrics(), await theirs.metrics());
  for (const labels of [{ path: '/a "quoted"\\', status: 'ok' }, { status: 'aborted' }]) {
    const cell = cells.cell(labels);
    for (const value of [0, 0.0005, 0.0006, 0.5, 0.75, 10, 10.5, 1e9]) {
      cell.observe(value);
      histogram.observe(labels, value);
    }
  }
  assert.equal(await ours.metrics(), await theirs.metrics());
});
