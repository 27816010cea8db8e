import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as whole from 'prom-client';
import { Counter, Gauge, Histogram, Registry } from '../../../src/shared/prometheus.ts';

describe('metric classes', () => {
  it('are those of the package', () => {
    assert.deepEqual([Counter, Gauge, Histogram, Registry], [whole.Counter, whole.Gauge, whole.Histogram, whole.Registry]);
  });
});
