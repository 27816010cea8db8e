import assert from 'node:assert/strict';
import { type Table, tableFromIPC } from 'apache-arrow';
import { WireMessage, writeMessage } from '../../src/server/flight/protobuf/wire.ts';
import { type CallResult, type FlightTestClient, tableOf } from './flight-client.ts';

type Fields = Parameters<typeof writeMessage>[0];

/** A command of Flight SQL inside `google.protobuf.Any`. */
export function command(name: string, fields: Fields = []): Buffer {
  return writeMessage([
    [1, `type.googleapis.com/arrow.flight.protocol.sql.${name}`],
    [2, writeMessage(fields)],
  ]);
}

/** A FlightDescriptor for a command. */
export function descriptor(cmd: Uint8Array): Buffer {
  return writeMessage([
    [1, 2],
    [2, cmd],
  ]);
}

/** GetFlightInfo, then DoGet with its ticket; the two must say the same schema. */
export async function askCommand(
  client: FlightTestClient,
  cmd: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<Table> {
  const info = await client.call('GetFlightInfo', [descriptor(cmd)], { headers });
  assert.equal(info.code, 0, info.details);
  const message = new WireMessage(info.messages[0] as Buffer);
  assert.deepEqual(Buffer.from(message.bytes(2) as Uint8Array), descriptor(cmd));
  assert.equal(BigInt.asIntN(64, message.integer(4) ?? 0n), -1n);
  const endpoint = new WireMessage(message.bytes(3) as Uint8Array);
  assert.equal(endpoint.has(2), false);
  const answer = await client.call('DoGet', [endpoint.bytes(1) as Uint8Array], { headers });
  assert.equal(answer.code, 0, answer.details);
  const table = tableOf(answer.messages);
  const described = tableFromIPC(message.bytes(1) as Uint8Array).schema;
  assert.equal(String(table.schema), String(described));
  assert.deepEqual(
    table.schema.fields.map((field) => [field.nullable, [...field.metadata]]),
    described.fields.map((field) => [field.nullable, [...field.metadata]]),
  );
  assert.deepEqual([...table.schema.metadata], [...described.metadata]);
  return table;
}

/** Values of all rows. */
export function rows(table: Table): unknown[] {
  return table.toArray().map((row) => Object.values({ ...row.toJSON() }));
}

/** Status and text of a call. */
export async function refused(answer: Promise<CallResult>): Promise<[number, string]> {
  const { code, details } = await answer;
  return [code, details];
}
