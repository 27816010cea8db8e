import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode } from '@msgpack/msgpack';
import type { ResultVector } from '../../../../../src/query/result.ts';
import { textVector } from '../../../../../src/query/results/index.ts';
import { TextSink } from '../../../../../src/server/http/response/formats/index.ts';
import { MessagePackSeriesWriter, MessagePackWriter } from '../../../../../src/server/http/response/v1/v1-msgpack.ts';
import { InfluxError } from '../../../../../src/shared/errors.ts';

const shown = [{ index: 0, column: { name: 's', type: { kind: 'string', dictionary: false } } }] as const;
const column: ResultVector = textVector(new Array<string>(100).fill('x'.repeat(100)));

function writer(sink: TextSink, heldBytesMax: number): MessagePackSeriesWriter {
  return new MessagePackSeriesWriter(0, shown, { epochNs: undefined, chunked: false, heldBytesMax }, new MessagePackWriter(sink));
}

test('rows that wait for their number are bounded', () => {
  const rows = writer(new TextSink(), 1000);
  rows.begin({ name: 'm', tags: [] });
  const fill = (): void => {
    for (let row = 0; row < 20; row++) rows.row([column], row);
  };
  assert.throws(
    fill,
    (error) =>
      error instanceof InfluxError && error.status === 500 && /more than 1000 bytes; ask for them with chunked=true$/.test(error.message),
  );
});

test('array heads of every size', () => {
  for (const count of [0, 15, 16, 65_535, 65_536]) {
    const sink = new TextSink();
    const packed = new MessagePackWriter(sink);
    packed.array(count);
    for (let item = 0; item < count; item++) packed.value(null);
    assert.equal((decode(sink.take()) as unknown[]).length, count);
  }
});
