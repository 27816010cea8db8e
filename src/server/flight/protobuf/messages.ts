/** The messages of Arrow Flight that are read and written here: https://arrow.apache.org/docs/format/Flight.html */
import { fieldHead, WireMessage, writeMessage } from './wire.ts';

/** `google.protobuf.Any`. */
export interface AnyMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** Reads a `google.protobuf.Any`. Throws when the bytes are no message. */
export function readAny(bytes: Uint8Array): AnyMessage {
  const message = new WireMessage(bytes);
  return { typeUrl: message.text(1) ?? '', value: message.bytes(2) ?? NO_BYTES };
}

/** Bytes of a `google.protobuf.Any`. */
export function writeAny({ typeUrl, value }: AnyMessage): Buffer {
  return writeMessage([
    [1, typeUrl],
    [2, value],
  ]);
}

/** What a client asks about: a command, or a path of texts. */
export interface FlightDescriptor {
  readonly kind: 'command' | 'path' | 'unknown';
  readonly command: Uint8Array;
}

const DESCRIPTOR_PATH = 1n;
const DESCRIPTOR_COMMAND = 2n;

/** Reads a `FlightDescriptor`; its path is not kept. Throws when the bytes are no message. */
export function readDescriptor(bytes: Uint8Array): FlightDescriptor {
  const message = new WireMessage(bytes);
  const type = message.integer(1) ?? 0n;
  const kind = type === DESCRIPTOR_COMMAND ? 'command' : type === DESCRIPTOR_PATH ? 'path' : 'unknown';
  return { kind, command: message.bytes(2) ?? NO_BYTES };
}

/** The bytes of a Ticket. */
export function readTicket(bytes: Uint8Array): Uint8Array {
  return new WireMessage(bytes).bytes(1) ?? NO_BYTES;
}

export interface FlightInfo {
  /** Encapsulated schema message. */
  readonly schema: Uint8Array;
  /** The descriptor as the client sent it. */
  readonly descriptor: Uint8Array;
  readonly ticket: Uint8Array;
}

/** One endpoint without a location: where the client is already. How many rows there are is not known before they are asked for. */
export function writeFlightInfo({ schema, descriptor, ticket }: FlightInfo): Buffer {
  return writeMessage([
    [1, schema],
    [2, descriptor],
    [3, writeMessage([[1, writeMessage([[1, ticket]])]])],
    [4, -1],
    [5, -1],
  ]);
}

export interface FlightAction {
  readonly type: string;
  readonly body: Uint8Array;
}

/** Reads an `Action`. Throws when the bytes are no message. */
export function readAction(bytes: Uint8Array): FlightAction {
  const message = new WireMessage(bytes);
  return { type: message.text(1) ?? '', body: message.bytes(2) ?? NO_BYTES };
}

/** Field of FlightData that holds the buffers of a record batch. */
const DATA_BODY = 1000;

/** What stands before the body of FlightData: its header, and the head of the field that the body fills. */
export function flightDataHead(header: Uint8Array, bodyBytes: number): Buffer {
  const parts = [fieldHead(2, header.length), header];
  return Buffer.concat(bodyBytes === 0 ? parts : [...parts, fieldHead(DATA_BODY, bodyBytes)]);
}

/** Bytes that `flightDataHead` has at most, whatever the body. */
export function flightDataHeadBytesMax(headerBytes: number): number {
  return fieldHead(2, headerBytes).length + headerBytes + fieldHead(DATA_BODY, BODY_BYTES_MAX).length;
}

/** More than a buffer of Node.js can have. */
const BODY_BYTES_MAX = 2 ** 40;

/** FlightData as a client sends it. */
export interface FlightData {
  readonly descriptor: Uint8Array | undefined;
  readonly header: Uint8Array;
  readonly body: Uint8Array;
}

/** Reads a `FlightData`; header and body are views of the bytes given. Throws when they are no message. */
export function readFlightData(bytes: Uint8Array): FlightData {
  const message = new WireMessage(bytes);
  return { descriptor: message.bytes(1), header: message.bytes(2) ?? NO_BYTES, body: message.bytes(DATA_BODY) ?? NO_BYTES };
}

export interface HandshakeMessage {
  readonly protocolVersion: bigint;
  readonly payload: Uint8Array;
}

/** Reads a `HandshakeRequest`. Throws when the bytes are no message. */
export function readHandshake(bytes: Uint8Array): HandshakeMessage {
  const message = new WireMessage(bytes);
  return { protocolVersion: message.integer(1) ?? 0n, payload: message.bytes(2) ?? NO_BYTES };
}

/** Bytes of a `HandshakeResponse`. */
export function writeHandshake({ protocolVersion, payload }: HandshakeMessage): Buffer {
  return writeMessage([
    [1, protocolVersion],
    [2, payload],
  ]);
}

export const NO_BYTES = new Uint8Array(0);
