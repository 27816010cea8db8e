import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ResultColumn } from '../../../../src/query/result.ts';
import { Session } from '../../../differential/session.ts';

test('columns that are told before the rows are those of the rows, whatever fields come meanwhile', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'influxdb3-planned-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const errors: unknown[] = [];
  const session = await Session.open({
    directory,
    columnBytesMax: 0,
    onPause: () => undefined,
    onError: (error) => errors.push(error),
  });
  try {
    await session.write(['m,host=a value=1 1']);
    let told: Promise<readonly ResultColumn[]> | undefined;
    const result = await session.ask({
      database: 'db',
      query: 'SELECT * FROM m WHERE value > 0.5 ORDER BY time',
      params: new Map(),
      onPlanned: (columns) => {
        told = session.write(['m,host=a value=2,late=1i 2']).then(columns);
      },
    });
    assert.deepEqual(await told, result.columns);
    assert.deepEqual(
      result.columns.map(({ name }) => name),
      ['host', 'time', 'value'],
    );
    const after = await session.ask({ database: 'db', query: 'SELECT * FROM m', params: new Map() });
    assert.equal(after.columns.length, 4);
    result.cancel();
    after.cancel();
    assert.deepEqual(errors, []);
  } finally {
    await session.stop();
  }
});
