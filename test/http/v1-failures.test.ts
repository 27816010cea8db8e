import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { InfluxqlResult } from '../../src/query/influxql/contract.ts';
import { textVector } from '../../src/query/results/index.ts';
import { InfluxError } from '../../src/shared/errors.ts';
import { resultOf, testServer } from './fakes.ts';

describe('an infinite number in an answer of /query', () => {
  const groupKey = { measurementColumn: 0, tagColumns: [] };
  const columns: InfluxqlResult['result']['columns'] = [
    { name: 'm', type: { kind: 'string', dictionary: false } },
    { name: 'v', type: { kind: 'float64' } },
  ];
  const batch = (values: readonly number[]) => ({
    rowCount: values.length,
    columns: [textVector(values.map(() => 'm')), { kind: 'float64' as const, data: Float64Array.from(values), valid: undefined }],
  });
  const answerOf = async (more: string, batches: readonly (readonly number[])[]): Promise<string> => {
    const { inject, influxql } = await testServer();
    influxql.answer = () => ({ result: resultOf(columns, batches.map(batch)), groupKey });
    return (await inject({ method: 'GET', url: `/query?db=d&q=SELECT+v+FROM+m;SELECT+v+FROM+m${more}` })).body;
  };
  const error = 'json: unsupported value: -Inf';

  test('takes the place of the whole answer while nothing was sent', async () => {
    assert.equal(await answerOf('', [[1, 2], [Number.NEGATIVE_INFINITY]]), `{"error":"${error}"}`);
  });

  test('takes the place of its chunk; those before it stay, and later statements are answered', async () => {
    const documents = (await answerOf('&chunked=true&chunk_size=2', [[1, 2, 3, Number.NEGATIVE_INFINITY, 5]])).trim().split('\n');
    const chunk = (id: number) => ({
      results: [{ statement_id: id, series: [{ name: 'm', columns: ['v'], values: [[1], [2]], partial: true }], partial: true }],
    });
    assert.deepEqual(
      documents.map((text) => JSON.parse(text)),
      [chunk(0), { error }, chunk(1), { error }],
    );
  });

  test('ends the rows of a long answer as an error of its statement', async () => {
    const many = Array.from({ length: 40_000 }, (_, i) => i);
    for (const more of ['', '&chunked=true&chunk_size=0']) {
      const [body = ''] = (await answerOf(more, [many, [7, Number.NEGATIVE_INFINITY]])).split('\n');
      const { results } = JSON.parse(body) as { results: { series: { values: unknown[] }[]; error: string }[] };
      assert.equal(results[0]?.error, error);
      assert.equal(results[0]?.series[0]?.values.length, 40_001);
      if (more === '') assert.equal(results[1]?.error, error);
    }
  });

  test('a failure after rows is an error of its statement too', async () => {
    const { inject, influxql } = await testServer();
    const batches = async function* () {
      yield batch([1]);
      throw new InfluxError({ code: 'E', message: 'memory ended', status: 500 });
    };
    influxql.answer = () => ({ result: { columns, batches, cancel: () => undefined }, groupKey });
    const { body } = await inject({ method: 'GET', url: '/query?db=d&q=SELECT+v+FROM+m' });
    assert.deepEqual(JSON.parse(body), {
      results: [{ statement_id: 0, series: [{ name: 'm', columns: ['v'], values: [[1]] }], error: 'memory ended' }],
    });
  });
});
