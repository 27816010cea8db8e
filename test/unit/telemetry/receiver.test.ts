import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RateLimit } from '../../../src/telemetry/rate-limit.ts';
import { reportLine } from '../../../src/telemetry/report-line.ts';
import { type AcceptedReport, readReport } from '../../../src/telemetry/report-reader.ts';
import { decode, harness } from './support.ts';

const OWN = Buffer.from(harness().telemetry.preview()).toString('utf8');

function problemOf(change: Record<string, unknown>): string {
  const read = readReport(JSON.stringify({ ...decode(OWN), ...change }));
  return read.kind === 'refused' ? read.problem : 'accepted';
}

function accepted(body: string): AcceptedReport {
  const read = readReport(body);
  assert.ok(read.kind === 'accepted', read.kind === 'refused' ? read.problem : '');
  return read.report;
}

describe('reading reports', () => {
  it('accepts what this server sends', () => {
    const report = accepted(OWN);
    assert.equal(report.unknownFields, 0);
    assert.equal(report.texts.size + report.integers.size + report.floats.size, 40);
  });

  it('a refusal names the member', () => {
    assert.equal(problemOf({ cores: 'four' }), 'cores must be a whole number from 0 to 2^63');
    assert.equal(problemOf({ cores: 1.5 }), 'cores must be a whole number from 0 to 2^63');
    assert.equal(problemOf({ uptime_secs: -1 }), 'uptime_secs must be a whole number from 0 to 2^63');
    assert.equal(problemOf({ os: 7 }), 'os must be a string');
    assert.equal(problemOf({ os: 'x'.repeat(257) }), 'os must have at most 256 characters');
    assert.equal(problemOf({ os: 'a\nb' }), 'os must be printable ASCII without backslashes');
    assert.equal(problemOf({ os: 'a\\' }), 'os must be printable ASCII without backslashes');
    assert.equal(problemOf({ cpu_utilization_percent_max_1m: null }), 'cpu_utilization_percent_max_1m must be a number');
    assert.equal(problemOf({ instance_id: ' ' }), 'instance_id must not be empty');
    assert.equal(problemOf({ installed_packages: [1] }), 'installed_packages must be an array of at most 10000 strings');
    assert.equal(problemOf({ plugin_trigger_invocations: {} }), 'plugin_trigger_invocations must be an array of at most 10000 objects');
    assert.match(
      problemOf({ plugin_trigger_invocations: [{ trigger_type: 'x', invocation_count: 1 }] }),
      /^plugin_trigger_invocations must hold one of/,
    );
    const { instance_id: _dropped, ...rest } = decode(OWN);
    assert.deepEqual(readReport(JSON.stringify(rest)), { kind: 'refused', problem: 'instance_id is missing' });
    for (const body of ['', 'null', '[]', '"x"', '{"a"']) assert.equal(readReport(body).kind, 'refused', body);
  });

  it('takes older reports with fewer members and newer ones with more; unknown ones are dropped and counted', () => {
    const older = accepted('{"version":"influxdb3-3.0.0","instance_id":"i","cores":2}');
    assert.deepEqual([...older.integers], [['cores', 2n]]);
    const newer = accepted(JSON.stringify({ ...decode(OWN), gpu: 1, hostname: 'bob', nested: { a: 1 } }));
    assert.equal(newer.unknownFields, 3);
    assert.ok(!reportLine(newer, 1n).includes('bob'));
  });

  it('names in invocations and packages of a sender are dropped, counts are kept', () => {
    const report = accepted(
      JSON.stringify({
        ...decode(OWN),
        plugin_trigger_invocations: [
          { database_name: 'customer', trigger_name: 't', plugin_name: 'p', trigger_type: 'process_writes', invocation_count: 3 },
          { database_name: 'customer2', trigger_name: 't', plugin_name: 'p', trigger_type: 'process_writes', invocation_count: 4 },
        ],
        installed_packages: ['secret-package', 'numpy'],
      }),
    );
    const line = reportLine(report, 1n);
    assert.ok(line.includes('plugin_process_writes_invocations=7i'));
    assert.ok(line.includes('installed_packages_count=2i'));
    assert.ok(!/customer|secret-package|numpy/.test(line));
  });
});

describe('line of a report', () => {
  it('escapes everything that has a meaning in a tag, whatever strangers send', () => {
    const text = fc.string({ minLength: 1, maxLength: 60 }).filter((value) => value.trim() !== '' && !value.includes('\\'));
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0 }), (version, os, cores) => {
        const read = readReport(JSON.stringify({ version, instance_id: 'i', os, cores }));
        if (read.kind === 'refused') return;
        const line = reportLine(read.report, 5n);
        const parsed = parseLine(line);
        assert.deepEqual(parsed.tags, { instance_id: 'i', os: os.trim(), version: version.trim() });
        assert.equal(parsed.fields, `cores=${cores}i,unknown_fields=0i`);
        assert.equal(parsed.time, '5');
      }),
    );
  });

  it('has the whole report of this server', () => {
    assert.equal(
      reportLine(accepted(OWN), 1_700_000_000_000_000_000n),
      'reports,cluster_uuid=7b1f5f0a-30fb-4f8e-8a1c-5d1f5a0c9e77,instance_id=0c5c3f0e-5d0c-4a5e-9a53-0f3f2c1b7a10,os=linux,product_type=Core,storage_engine_type=parquet,storage_type=file,version=influxdb3-3.10.0 ' +
        'cores=4i,uptime_secs=0i,serve_invocation_method=0i,memory_used_mb_min_1m=0i,memory_used_mb_max_1m=0i,memory_used_mb_avg_1m=0i,' +
        'write_requests_min_1m=0i,write_requests_max_1m=0i,write_requests_avg_1m=0i,write_requests_sum_1h=0i,write_lines_min_1m=0i,write_lines_max_1m=0i,write_lines_avg_1m=0i,write_lines_sum_1h=0i,' +
        'write_mb_min_1m=0i,write_mb_max_1m=0i,write_mb_avg_1m=0i,write_mb_sum_1h=0i,query_requests_min_1m=0i,query_requests_max_1m=0i,query_requests_avg_1m=0i,query_requests_sum_1h=0i,' +
        'parquet_file_count=3i,parquet_row_count=9i,wal_single_triggers_count=1i,wal_all_triggers_count=0i,schedule_triggers_count=2i,request_triggers_count=0i,installed_packages_count=0i,' +
        'cpu_utilization_percent_min_1m=0,cpu_utilization_percent_max_1m=0,cpu_utilization_percent_avg_1m=0,parquet_file_size_mb=0.006267,unknown_fields=0i 1700000000000000000',
    );
  });
});

describe('rate limit', () => {
  it('gives each caller its own allowance, which grows back', () => {
    const limit = new RateLimit(2);
    assert.deepEqual(
      [limit.take('a', 0), limit.take('a', 0), limit.take('a', 0), limit.take('b', 0), limit.take('a', 29_999), limit.take('a', 30_001)],
      [true, true, false, true, false, true],
    );
  });

  it('with ten thousand callers new ones share one allowance, and rested ones are forgotten', () => {
    const limit = new RateLimit(1);
    for (let index = 0; index < 10_000; index += 1) limit.take(`caller ${index}`, 0);
    assert.equal(limit.take('new one', 1), true);
    assert.equal(limit.take('another', 1), false);
    assert.equal(limit.take('another', 60_001), true);
  });
});

/** Splits a line by the rules of line protocol, as far as this table needs them. */
function parseLine(line: string): { tags: Record<string, string>; fields: string; time: string } {
  const [head, fields, time, ...rest] = line.split(/(?<!\\) /);
  assert.deepEqual(rest, []);
  const [table, ...pairs] = (head ?? '').split(/(?<!\\),/);
  assert.equal(table, 'reports');
  const tags = pairs.map((pair) => pair.split(/(?<!\\)=/).map((part) => part.replace(/\\([ ,=])/g, '$1')) as [string, string]);
  return { tags: Object.fromEntries(tags), fields: fields ?? '', time: time ?? '' };
}
