import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { HttpError, InfluxDB, Point, setLogger, type WriteOptions, type WritePrecisionType } from '@influxdata/influxdb-client';
import { deferred, sharedServer } from './support.ts';

/** The client's own log would only fill the test output. */
setLogger({ error: () => {}, warn: () => {} });

/** The client's own ten seconds are few on a busy machine. */
const PATIENCE_MS = 120_000;

/** No retries and no timers: a write goes out with `close()` or fails at once. */
const once: Partial<WriteOptions> = { maxRetries: 0, flushInterval: 0 };

async function failure(work: Promise<unknown>): Promise<HttpError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof HttpError, String(error));
    return error;
  }
  return assert.fail('the write was accepted');
}

const shared = sharedServer();

describe('@influxdata/influxdb-client', () => {
  test('points of every type arrive with their types and values', async () => {
    const { server, token, rows } = shared();
    const api = new InfluxDB({ url: server.url, token, timeout: PATIENCE_MS }).getWriteApi('any org', 'types', 'ns', once);
    api.useDefaultTags({ site: 'north' });
    api.writePoint(
      new Point('m')
        .tag('host', 'a b,c=d')
        .floatField('f', 1.5)
        .intField('i', -9007199254740991)
        .uintField('u', '18446744073709551615')
        .booleanField('b', true)
        .stringField('s', 'quo"te, back\\slash')
        .timestamp('1700000000123456789'),
    );
    await api.close();
    assert.deepEqual(await rows('types', 'SELECT host, site, f, CAST(i AS VARCHAR) AS i, CAST(u AS VARCHAR) AS u, b, s, time FROM m'), [
      {
        host: 'a b,c=d',
        site: 'north',
        f: 1.5,
        i: '-9007199254740991',
        u: '18446744073709551615',
        b: true,
        s: 'quo"te, back\\slash',
        time: '2023-11-14T22:13:20.123456789',
      },
    ]);
  });

  test('every precision of the client means the same instant', async () => {
    const { server, token, rows } = shared();
    const stamps: [WritePrecisionType, string][] = [
      ['s', '1700000000'],
      ['ms', '1700000000000'],
      ['us', '1700000000000000'],
      ['ns', '1700000000000000000'],
    ];
    for (const [precision, stamp] of stamps) {
      const api = new InfluxDB({ url: server.url, token, timeout: PATIENCE_MS }).getWriteApi('o', 'precisions', precision, once);
      api.writePoint(new Point('m').tag('precision', precision).intField('v', 1).timestamp(stamp));
      await api.close();
    }
    assert.deepEqual(await rows('precisions', 'SELECT count(*) AS n, count(DISTINCT time) AS times, max(time) AS t FROM m'), [
      { n: 4, times: 1, t: '2023-11-14T22:13:20' },
    ]);
  });

  test('batches above the threshold go compressed, and nothing is lost over many of them', async () => {
    const { server, token, rows } = shared();
    let accepted = 0;
    const all = deferred();
    const api = new InfluxDB({ url: server.url, token, timeout: PATIENCE_MS }).getWriteApi('o', 'batches', 'ns', {
      ...once,
      gzipThreshold: 1,
      batchSize: 1000,
      writeFailed: (error) => all.reject(error),
      writeSuccess: (lines) => {
        accepted += lines.length;
        if (accepted === 25_000) all.resolve();
      },
    });
    for (let i = 0; i < 25_000; i++) {
      api.writePoint(
        new Point('m')
          .tag('host', `h${i % 10}`)
          .intField('v', i)
          .timestamp(String(1_700_000_000_000_000_000n + BigInt(i))),
      );
    }
    await all.promise; // close() waits for the last batch only
    await api.close();
    assert.deepEqual(await rows('batches', 'SELECT count(*) AS n, sum(v) AS total, count(DISTINCT host) AS hosts FROM m'), [
      { n: 25_000, total: 312_487_500, hosts: 10 },
    ]);
  });

  test('refusals reach the caller with status, code and message', async () => {
    const { server, token } = shared();
    const write = (bucket: string, line: string, withToken = token): Promise<HttpError> => {
      const api = new InfluxDB({ url: server.url, token: withToken, timeout: PATIENCE_MS }).getWriteApi('o', bucket, 'ns', once);
      api.writeRecord(line);
      return failure(api.close());
    };
    const bad = await write('refused', ',t=v f=1');
    const message = "unable to parse ',t=v f=1': Invalid measurement was provided";
    assert.deepEqual([bad.statusCode, bad.code, bad.json], [400, 'invalid', { code: 'invalid', message }]);
    const name = await write('no good', 'm f=1');
    assert.deepEqual([name.statusCode, name.code], [400, 'invalid']);
    assert.match(name.message, /namespace name 'no good' contains invalid character, character number 2 is not allowed/);
    const stranger = await write('refused', 'm f=1', 'apiv3_wrong');
    assert.deepEqual([stranger.statusCode, stranger.body], [401, '{"error": "the request was not authenticated"}']);
  });

  test('a write that a gateway answered with 503 is sent again and stored once', async (t) => {
    const { server, token, rows } = shared();
    let refusals = 1;
    const target = new URL(server.url);
    const gateway = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
      if (refusals-- > 0) {
        outgoing.writeHead(503, { 'retry-after': '0' }).end();
        incoming.resume();
        return;
      }
      const { url: path = '/', headers, method = 'POST' } = incoming;
      const forwarded = request({ host: target.hostname, port: target.port, path, headers, method }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(forwarded);
    });
    await new Promise<void>((done) => gateway.listen(0, '127.0.0.1', done));
    t.after(() => new Promise<void>((done) => void gateway.close(() => done())));
    const { port } = gateway.address() as { port: number };
    const stored = deferred();
    const options = { maxRetries: 3, minRetryDelay: 1, retryJitter: 1, flushInterval: 0, writeSuccess: () => stored.resolve() };
    const api = new InfluxDB({ url: `http://127.0.0.1:${port}`, token, timeout: PATIENCE_MS }).getWriteApi('o', 'retried', 'ns', options);
    api.writePoint(new Point('m').intField('v', 7).timestamp('1'));
    const first = await failure(api.flush());
    assert.equal(first.statusCode, 503);
    await stored.promise; // the client sends it again by itself
    await api.close();
    assert.deepEqual(await rows('retried', 'SELECT v FROM m'), [{ v: 7 }]);
  });
});
