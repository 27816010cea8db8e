import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  Table as ArrowTable,
  Float64,
  Int64,
  RecordBatchStreamWriter,
  type Table,
  tableFromIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { WireMessage, writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import type { CallResult } from '../support/flight-client.ts';
import { CPU_AND_MEM, sharedFlight } from '../support/flight-server.ts';
import { askCommand, command, descriptor, refused, rows } from '../support/flight-sql-client.ts';

const flight = sharedFlight({ database: 'db' }, CPU_AND_MEM);

const ask = (cmd: Uint8Array): Promise<Table> => askCommand(flight.client, cmd);

describe('prepared statements', () => {
  interface Prepared {
    readonly handle: Uint8Array;
    readonly dataset: Table['schema'];
    readonly parameters: Table['schema'];
  }

  async function prepare(query: string): Promise<Prepared> {
    const body = command('ActionCreatePreparedStatementRequest', [[1, query]]);
    const answer = await flight.client.call('DoAction', [
      writeMessage([
        [1, 'CreatePreparedStatement'],
        [2, body],
      ]),
    ]);
    assert.equal(answer.code, 0, answer.details);
    const any = new WireMessage(new WireMessage(answer.messages[0] as Buffer).bytes(1) as Uint8Array);
    assert.equal(any.text(1), 'type.googleapis.com/arrow.flight.protocol.sql.ActionCreatePreparedStatementResult');
    const result = new WireMessage(any.bytes(2) as Uint8Array);
    const schema = (number: number): Table['schema'] => tableFromIPC(result.bytes(number) as Uint8Array).schema;
    return { handle: result.bytes(1) as Uint8Array, dataset: schema(2), parameters: schema(3) };
  }

  /** DoPut with the first row of a table. */
  async function bind(handle: Uint8Array, table: ArrowTable): Promise<CallResult> {
    const stream = Buffer.from(await RecordBatchStreamWriter.writeAll(table).toUint8Array());
    const messages: Buffer[] = [];
    for (let at = 0; at + 8 <= stream.length; ) {
      const headerBytes = stream.readInt32LE(at + 4);
      if (headerBytes === 0) break;
      const header = stream.subarray(at + 8, at + 8 + headerBytes);
      const bodyBytes = messages.length === 0 ? 0 : stream.length - (at + 8 + headerBytes) - 8;
      const body = stream.subarray(at + 8 + headerBytes, at + 8 + headerBytes + bodyBytes);
      const first = messages.length === 0 ? descriptor(command('CommandPreparedStatementQuery', [[1, handle]])) : undefined;
      messages.push(
        writeMessage([
          [1, first],
          [2, header],
          [1000, body],
        ]),
      );
      at += 8 + headerBytes + bodyBytes;
    }
    return flight.client.call('DoPut', messages);
  }

  it('are created, asked and closed', async () => {
    const { handle, dataset, parameters } = await prepare('SELECT host, f FROM cpu ORDER BY time');
    assert.deepEqual([dataset.fields.map((field) => field.name), parameters.fields.length], [['host', 'f'], 0]);
    const table = await ask(command('CommandPreparedStatementQuery', [[1, handle]]));
    assert.deepEqual(rows(table), [
      ['a', 1.5],
      ['b', 2],
    ]);
    const raw = await ask(command('CommandPreparedStatementQuery', [[1, 'SELECT 1 AS one']]));
    assert.deepEqual(rows(raw), [[1n]]);
    const closed = await flight.client.call('DoAction', [
      writeMessage([
        [1, 'ClosePreparedStatement'],
        [2, command('ActionClosePreparedStatementRequest', [[1, handle]])],
      ]),
    ]);
    assert.deepEqual([closed.code, closed.messages.map((message) => message.length)], [0, [0]]);
  });

  it('have parameters, whose types are told, and which are bound by name or by place', async () => {
    const sql = 'SELECT host, f FROM cpu WHERE host = $host AND f > $f AND time >= $t AND i = $i LIMIT $n';
    const { handle, parameters, dataset } = await prepare(sql);
    assert.deepEqual(
      parameters.fields.map((field) => [field.name, String(field.type), field.nullable]),
      [
        ['$host', 'Utf8', true],
        ['$f', 'Float64', true],
        ['$t', 'Timestamp<NANOSECOND>', true],
        ['$i', 'Int64', true],
        ['$n', 'Int64', true],
      ],
    );
    assert.deepEqual(
      dataset.fields.map((field) => field.name),
      ['host', 'f'],
    );
    const values = {
      $host: vectorFromArray(['b', 'ignored'], new Utf8()),
      $f: vectorFromArray([1, 0], new Float64()),
      $t: vectorFromArray(['2022-01-01T00:00:00Z', ''], new Utf8()),
      $i: vectorFromArray([2n, 0n], new Int64()),
      $n: vectorFromArray([5n, 0n], new Int64()),
    };
    for (const names of [Object.keys(values), ['0', '1', '2', '3', '4']]) {
      const named = Object.fromEntries(Object.values(values).map((vector, i) => [names[i] as string, vector]));
      const put = await bind(handle, new ArrowTable(named));
      assert.equal(put.code, 0, put.details);
      const result = new WireMessage(new WireMessage(put.messages[0] as Buffer).bytes(1) as Uint8Array);
      const table = await ask(command('CommandPreparedStatementQuery', [[1, result.bytes(1)]]));
      assert.deepEqual(rows(table), [['b', 2]]);
    }
    const unbound = await refused(
      flight.client.call('DoGet', [writeMessage([[1, ticketFor(command('CommandPreparedStatementQuery', [[1, handle]]))]])]),
    );
    assert.deepEqual([unbound[0], /No value found for placeholder with name \$/.test(unbound[1])], [3, true]);
  });

  it('refuse what cannot be bound', async () => {
    const { handle } = await prepare('SELECT * FROM cpu WHERE host = $1');
    const empty = await bind(handle, new ArrowTable({ $1: vectorFromArray([], new Utf8()) }));
    assert.equal(empty.code, 3, empty.details);
    assert.deepEqual(await refused(flight.client.call('DoPut', [])), [3, 'No FlightDescriptor in Flight SQL request']);
    const garbage = writeMessage([
      [1, descriptor(command('CommandPreparedStatementQuery', [[1, handle]]))],
      [2, Buffer.alloc(64, 7)],
      [1000, Buffer.alloc(9)],
    ]);
    assert.equal((await flight.client.call('DoPut', [garbage])).code, 3);
    const wrong = writeMessage([[1, descriptor(command('CommandGetCatalogs'))]]);
    assert.deepEqual(await refused(flight.client.call('DoPut', [wrong])), [
      3,
      "Protocol error. Method DoPut does not expect 'CommandGetCatalogs'",
    ]);
    const body = command('ActionCreatePreparedStatementRequest', [[1, 'SELECT $1 AS x']]);
    const unknown = await refused(
      flight.client.call('DoAction', [
        writeMessage([
          [1, ''],
          [2, body],
        ]),
      ]),
    );
    assert.equal(unknown[0], 3, unknown[1]);
  });

  function ticketFor(cmd: Uint8Array): Buffer {
    const value = writeMessage([
      [1, 'db'],
      [3, 3],
      [4, cmd],
    ]);
    return writeMessage([
      [1, 'type.googleapis.com/influxdata.iox.querier.v1.ReadInfo'],
      [2, value],
    ]);
  }
});
