import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { QueryResult, ResultBatch, ResultColumn } from '../../../../src/query/result.ts';
import { textVector } from '../../../../src/query/results/index.ts';
import { deferred } from '../../../support/deferred.ts';
import { tableOf } from '../../../support/flight-client.ts';
import { flightService } from '../../../support/flight-service.ts';

const columns: readonly ResultColumn[] = [
  { name: 'host', type: { kind: 'string', dictionary: true }, stored: 'tag' },
  { name: 'n', type: { kind: 'list', item: { kind: 'int64' } } },
];

function batch(text: string): ResultBatch {
  const item = { kind: 'int64', data: BigInt64Array.of(1n, 2n), valid: undefined } as const;
  return { rowCount: 1, columns: [textVector([text]), { kind: 'list', offsets: Uint32Array.of(0, 2), item, valid: undefined }] };
}

const ticket = { database: 'db', sql_query: 'SELECT host, n FROM m' };

/** A promise with a call for each message of an answer. */
function afterMessages(count: number): { readonly seen: Promise<void>; readonly onMessage: () => void } {
  const { promise, resolve } = deferred();
  let left = count;
  return {
    seen: promise,
    onMessage: () => {
      if (--left === 0) resolve();
    },
  };
}

describe('clients hear something while a query takes long', () => {
  test('empty record batches come between the rows', async (t) => {
    const { queries, client } = await flightService(t, { keepAliveMs: 1 });
    // the schema, a record batch, three empty ones
    const { seen, onMessage } = afterMessages(5);
    queries.answer = (): QueryResult => ({
      columns,
      async *batches() {
        yield batch('a');
        await seen;
        yield batch('b');
      },
      cancel: () => undefined,
    });
    const answer = await client.query(ticket, { onMessage });
    assert.equal(answer.code, 0, answer.details);
    assert.ok(answer.messages.length >= 6);
    const table = tableOf(answer.messages);
    assert.deepEqual(
      table.toArray().map((row) => [row['host'], [...row['n']]]),
      [
        ['a', [1n, 2n]],
        ['b', [1n, 2n]],
      ],
    );
    assert.ok(table.batches.filter(({ numRows }) => numRows === 0).length >= 3);
  });

  test('the schema comes before the first rows are found', async (t) => {
    const { queries, client } = await flightService(t, { keepAliveMs: 1 });
    const { seen, onMessage } = afterMessages(3);
    queries.answer = async ({ onPlanned }): Promise<QueryResult> => {
      onPlanned?.(async () => columns);
      await seen;
      return {
        columns,
        batches: async function* () {
          yield batch('a');
        },
        cancel: () => undefined,
      };
    };
    const answer = await client.query(ticket, { onMessage });
    assert.equal(answer.code, 0, answer.details);
    const table = tableOf(answer.messages);
    assert.deepEqual([table.numRows, table.schema.fields[0]?.metadata.get('iox::column::type')], [1, 'iox::column_type::tag']);
  });

  test('rows never stand under another schema than their own', async (t) => {
    const { queries, client } = await flightService(t, { keepAliveMs: 1 });
    const { seen, onMessage } = afterMessages(1);
    let cancelled = false;
    queries.answer = async ({ onPlanned }): Promise<QueryResult> => {
      onPlanned?.(async () => [{ name: 'n', type: { kind: 'int64' } }]);
      await seen;
      return {
        columns: [{ name: 'n', type: { kind: 'timestamp', zone: undefined } }],
        async *batches() {
          yield { rowCount: 1, columns: [{ kind: 'timestamp', data: BigInt64Array.of(1n), valid: undefined }] };
        },
        cancel: () => {
          cancelled = true;
        },
      };
    };
    const answer = await client.query(ticket, { onMessage });
    assert.deepEqual([answer.code, cancelled], [13, true]);
    assert.match(answer.details, /not those that it was described with/);
    assert.equal(tableOf(answer.messages).numRows, 0);
  });

  test('a query that fails after a silence ends with its own failure', async (t) => {
    const { queries, client } = await flightService(t, { keepAliveMs: 1 });
    const { seen, onMessage } = afterMessages(2);
    queries.answer = async ({ onPlanned }) => {
      onPlanned?.(async () => columns);
      await seen;
      throw new Error('it broke');
    };
    const answer = await client.query(ticket, { onMessage });
    assert.deepEqual([answer.code, answer.details, tableOf(answer.messages).numRows], [13, 'it broke', 0]);
  });
});
