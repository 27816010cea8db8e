import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from '../../../src/shared/prometheus.ts';
import { WriteDoor } from '../../../src/write/write-door.ts';
import { WriteMetrics } from '../../../src/write/write-metrics.ts';
import type { WriteOutcome, WriteRequest } from '../../../src/write/write-service.ts';

const request: WriteRequest = {
  database: 'db',
  body: Buffer.from('m v=1\nm v=2'),
  precision: 'auto',
  acceptPartial: true,
  noSync: false,
};
const error = { lineNumber: 3, originalLine: 'x', errorMessage: 'bad' };

function door(store: (request: WriteRequest) => Promise<WriteOutcome>) {
  const counted: [number, number][] = [];
  const registry = new Registry();
  const metrics = new WriteMetrics(registry);
  const telemetry = { recordWrite: (lines: number, bytes: number) => void counted.push([lines, bytes]) };
  return { door: new WriteDoor({ store: { write: store }, telemetry, metrics }), counted, registry };
}

describe('the door of writes', () => {
  it('counts accepted lines and body bytes of a stored write in telemetry and metrics', async () => {
    const { door: writes, counted, registry } = door(async () => ({ acceptedLines: 2, acceptedBytes: 10, lineErrors: [error] }));
    assert.equal((await writes.write(request)).acceptedLines, 2);
    assert.deepEqual(counted, [[2, 11]]);
    const text = await registry.metrics();
    assert.match(text, /influxdb3_write_lines_total\{db="db"\} 2/);
    assert.match(text, /influxdb3_write_lines_rejected_total\{db="db"\} 1/);
    assert.match(text, /influxdb3_write_bytes_total\{db="db"\} 10/);
  });

  it('does not count a plugin in telemetry, but in metrics', async () => {
    const { door: writes, counted, registry } = door(async () => ({ acceptedLines: 2, acceptedBytes: 10, lineErrors: [] }));
    await writes.write({ ...request, origin: { trigger: {} } });
    assert.deepEqual(counted, []);
    assert.match(await registry.metrics(), /influxdb3_write_lines_total\{db="db"\} 2/);
  });

  it('counts nothing of a refused write', async () => {
    const { door: writes, counted, registry } = door(() => Promise.reject(new Error('refused')));
    await assert.rejects(writes.write(request), /refused/);
    assert.deepEqual(counted, []);
    assert.doesNotMatch(await registry.metrics(), /db="db"/);
  });
});
