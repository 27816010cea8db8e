import { Client, credentials, Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { RecordBatchReader, Table } from 'apache-arrow';
import { WireMessage, writeMessage } from '../../src/server/flight/protobuf/wire.ts';

const SERVICE = '/arrow.flight.protocol.FlightService/';

/** How a call ended, with the messages that came before. */
export interface CallResult {
  readonly code: number;
  readonly details: string;
  readonly messages: Buffer[];
  readonly headers: Metadata | undefined;
  readonly trailers: Metadata;
}

/** A plain gRPC client of the Flight service: bytes in, bytes out. */
export class FlightTestClient {
  readonly #client: Client;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#client = new Client(new URL(url).host, credentials.createInsecure());
    this.#headers = headers;
  }

  close(): void {
    this.#client.close();
  }

  /** Sends messages, reads all answers. `half` = the client's side stays open until the answer is complete. */
  call(
    method: string,
    requests: readonly Uint8Array[],
    options: {
      readonly deadlineMs?: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly half?: boolean;
      /** Told of each message as it comes. */
      readonly onMessage?: () => void;
    } = {},
  ): Promise<CallResult> {
    const path = method.startsWith('/') ? method : SERVICE + method;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries({ ...this.#headers, ...options.headers })) metadata.set(name, value);
    const deadline = options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs };
    const stream = this.#client.makeBidiStreamRequest(
      path,
      (bytes: Uint8Array) => Buffer.from(bytes),
      (bytes: Buffer) => bytes,
      metadata,
      deadline,
    );
    for (const request of requests) stream.write(request);
    if (options.half !== true) stream.end();
    const messages: Buffer[] = [];
    let headers: Metadata | undefined;
    stream.on('metadata', (received: Metadata) => {
      headers = received;
    });
    stream.on('data', (message: Buffer) => {
      messages.push(message);
      options.onMessage?.();
    });
    stream.on('error', (_error: ServiceError) => undefined);
    return new Promise((resolve) => {
      stream.on('status', ({ code, details, metadata: trailers }: StatusObject) => {
        if (options.half === true) stream.end();
        resolve({ code, details, messages, headers, trailers });
      });
    });
  }

  /** DoGet with the bytes of a ticket. */
  get(ticket: Uint8Array | string, options: Parameters<FlightTestClient['call']>[2] = {}): Promise<CallResult> {
    return this.call('DoGet', [writeMessage([[1, ticket]])], options);
  }

  /** DoGet with the JSON that the official clients send. */
  query(ticket: Readonly<Record<string, unknown>>, options: Parameters<FlightTestClient['call']>[2] = {}): Promise<CallResult> {
    return this.get(JSON.stringify(ticket), options);
  }
}

/** FlightData messages as one Arrow stream. */
export function streamOf(messages: readonly Buffer[]): Buffer {
  const parts = messages.flatMap((bytes) => {
    const message = new WireMessage(bytes);
    const header = message.bytes(2) ?? new Uint8Array(0);
    const prefix = Buffer.alloc(8, 0xff);
    prefix.writeUInt32LE(header.length, 4);
    return [prefix, header, message.bytes(1000) ?? new Uint8Array(0)];
  });
  return Buffer.concat(parts);
}

/** The rows of FlightData messages, as apache-arrow reads them. */
export function tableOf(messages: readonly Buffer[]): Table {
  const reader = RecordBatchReader.from(streamOf(messages));
  const batches = [...reader];
  return batches.length === 0 ? new Table(reader.schema) : new Table(batches);
}
