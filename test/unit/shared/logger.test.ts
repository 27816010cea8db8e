import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLogger, type Logger } from '../../../src/shared/logger.ts';
import { effectiveFilterText, parseLogFilter } from '../../../src/shared/logger-filter.ts';
import { type LogFormat, lineBytesMax } from '../../../src/shared/logger-format.ts';

const nowNs = 1_767_323_045_678_901_234n;
const clock = { nowNs: () => nowNs, nowMs: () => Number(nowNs / 1_000_000n), monotonicMs: () => 0 };

function capture(options: { format?: LogFormat; filter?: string; colors?: boolean } = {}): { log: Logger; lines: string[] } {
  const lines: string[] = [];
  const log = createLogger({
    target: 'influxdb3_server',
    format: options.format ?? 'full',
    filter: parseLogFilter(options.filter ?? 'info'),
    sink: { write: (line) => lines.push(line) },
    clock,
    colors: options.colors ?? false,
  });
  return { log, lines };
}

describe('log lines', () => {
  it('full: time, level, target, message, fields', () => {
    const { log, lines } = capture();
    log.info('startup time: 42ms', { address: '0.0.0.0:8181', product_name: 'InfluxDB 3 Core', count: 3, options: ['a', 'b'] });
    assert.equal(
      lines.join(''),
      '2026-01-02T03:04:05.678901Z  INFO influxdb3_server: startup time: 42ms address=0.0.0.0:8181 product_name="InfluxDB 3 Core" count=3 options=["a","b"]\n',
    );
  });

  it('json: one object with timestamp, level, fields and target', () => {
    const { log, lines } = capture({ format: 'json' });
    log.warn('took long', { ms: 5n });
    assert.deepEqual(JSON.parse(lines.join('')), {
      timestamp: '2026-01-02T03:04:05.678901Z',
      level: 'WARN',
      fields: { message: 'took long', ms: 5 },
      target: 'influxdb3_server',
    });
  });

  it('logfmt: msg is quoted only when it must be', () => {
    const { log, lines } = capture({ format: 'logfmt' });
    log.error('broken', { path: 'a b' });
    log.error('it broke');
    const tail = `target="influxdb3_server" ts=2026-01-02T03:04:05.678901Z time=${nowNs}\n`;
    assert.deepEqual(lines, [`level=error msg=broken path="a b" ${tail}`, `level=error msg="it broke" ${tail}`]);
  });

  it('pretty: target on a line of its own', () => {
    const { log, lines } = capture({ format: 'pretty' });
    log.info('hello', { n: 1 });
    assert.match(lines.join(''), /INFO influxdb3_server: hello, n: 1\n {4}at influxdb3_server\n/);
  });

  it('cuts lines after 16383 bytes and keeps the newline', () => {
    const { log, lines } = capture();
    log.info('é'.repeat(20_000));
    assert.ok(Buffer.byteLength(lines.join('')) <= lineBytesMax + 1);
    assert.ok(lines.join('').endsWith('\n') && !lines.join('').includes('\uFFFD'));
  });

  it('colours only when asked to', () => {
    const { log, lines } = capture({ colors: true });
    log.info('hello');
    assert.ok(lines.join('').includes('\u001b[32m INFO\u001b[0m'));
  });

  it('keeps a message with newlines on one line', () => {
    const { log, lines } = capture();
    log.info('a\nb');
    assert.equal(lines.join('').match(/\n/g)?.length, 1);
  });
});

describe('log redaction', () => {
  it('never writes tokens, whatever the field is called', () => {
    const { log, lines } = capture();
    const token = 'apiv3_abcDEF123-_xyz';
    log.info(`used ${token}`.slice(0, 4), {
      token,
      header: `Authorization: Bearer ${token}`,
      nested: { list: [`x ${token} y`], password: 'hunter2' },
      error: new Error(`bad ${token}`),
      authorization: 'Token secret-enough-text',
    });
    assert.ok(!lines.join('').includes('abcDEF123'));
    assert.ok(!lines.join('').includes('hunter2'));
    assert.ok(!lines.join('').includes('secret-enough-text'));
  });

  it('keeps names and counts of tokens', () => {
    const { log, lines } = capture();
    log.info('x', { token_id: 7, token_name: 'ci', token_count: 2 });
    assert.match(lines.join(''), /token_id=7 token_name=ci token_count=2/);
  });
});

describe('log filter', () => {
  it('takes the longest matching target', () => {
    const { log, lines } = capture({ filter: 'warn,influxdb3_wal=debug,influxdb3_wal::replay=off' });
    log.info('no');
    log.child('influxdb3_wal').debug('yes');
    log.child('influxdb3_wal::replay').error('no');
    assert.equal(lines.length, 1);
    assert.ok(lines.join('').includes('influxdb3_wal: yes'));
  });

  it('a later directive of the same target wins', () => {
    const { log } = capture({ filter: 'info,debug' });
    assert.ok(log.enabled('debug'));
  });

  it('targets without a general level are silent elsewhere; an empty filter shows errors', () => {
    assert.equal(capture({ filter: 'other=info' }).log.enabled('error'), false);
    const { log } = capture({ filter: '' });
    assert.deepEqual([log.enabled('error'), log.enabled('warn')], [true, false]);
  });

  it('refuses what is no directive', () => {
    assert.throws(() => parseLogFilter('a=b=c'), { name: 'LogFilterError' });
    assert.throws(() => parseLogFilter('x=loud'), /invalid log filter directive 'x=loud'/);
  });

  it('-v beats the filter; debug and trace are calmed unless told not to', () => {
    assert.equal(effectiveFilterText({ verbosity: 1, text: 'warn', keepNoise: false }), 'info,sqlx=warn');
    assert.ok(
      effectiveFilterText({ verbosity: 2, text: 'warn', keepNoise: false }).startsWith('debug,influxdb3_server::http=info,reqwest=info,'),
    );
    assert.equal(effectiveFilterText({ verbosity: 3, text: '', keepNoise: true }), 'trace');
    assert.equal(effectiveFilterText({ verbosity: 0, text: 'warn', keepNoise: false }), 'warn');
  });
});
