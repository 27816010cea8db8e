/**
 * Frames between the server and a Python host: 16 bytes (u32 body length, u8 type, u8 and u16 0, u32 call, u32 JSON length, all
 * little endian), JSON padded with zeros to 8 bytes, then bytes.
 */

/** Version that the host must have. */
export const FRAME_VERSION = 3;

export const FRAME_TYPES = {
  ready: 1,
  call: 2,
  cancel: 3,
  refuse: 4,
  shutdown: 5,
  log: 10,
  query: 11,
  rows: 12,
  write: 13,
  answer: 14,
  shared: 15,
  queued: 17,
  piece: 18,
  done: 20,
  fail: 21,
} as const;

export type FrameType = (typeof FRAME_TYPES)[keyof typeof FRAME_TYPES];

export interface Frame {
  readonly type: number;
  readonly call: number;
  readonly head: Readonly<Record<string, unknown>>;
  /** Owned by whoever gets the frame. */
  readonly data: Buffer;
}

const HEADER_BYTES = 16;

/** Longest frame of a host; more is no host of ours. */
export const FRAME_BYTES_MAX = 256 * 1024 * 1024;

/** The parts of a frame, to be written one after the other. */
export function encodeFrame(type: FrameType, call: number, head: unknown, data: Uint8Array = new Uint8Array()): Uint8Array[] {
  const json = Buffer.from(JSON.stringify(head));
  const jsonBytes = (json.length + 7) & ~7;
  const front = Buffer.alloc(HEADER_BYTES + jsonBytes);
  front.writeUInt32LE(jsonBytes + data.byteLength, 0);
  front.writeUInt8(type, 4);
  front.writeUInt32LE(call, 8);
  front.writeUInt32LE(json.length, 12);
  json.copy(front, HEADER_BYTES);
  return data.byteLength === 0 ? [front] : [front, data];
}

/** Puts frames together from pieces of a stream. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #wanted = HEADER_BYTES;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws when the stream has no frames. */
  take(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    while (this.#bytes >= this.#wanted) {
      const all = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces, this.#bytes);
      const end = HEADER_BYTES + all.readUInt32LE(0);
      if (end > FRAME_BYTES_MAX) throw new Error(`a frame of ${end} bytes`);
      this.#wanted = end;
      if (all.length < end) {
        this.#pieces = [all];
        return;
      }
      const rest = all.subarray(end);
      this.#pieces = rest.length === 0 ? [] : [rest];
      this.#bytes = rest.length;
      this.#wanted = HEADER_BYTES;
      this.#onFrame(decode(all.subarray(0, end)));
    }
  }
}

function decode(frame: Buffer): Frame {
  const jsonBytes = frame.readUInt32LE(12);
  const head = JSON.parse(frame.toString('utf8', HEADER_BYTES, HEADER_BYTES + jsonBytes)) as Readonly<Record<string, unknown>>;
  const padded = (jsonBytes + 7) & ~7;
  return { type: frame.readUInt8(4), call: frame.readUInt32LE(8), head, data: frame.subarray(HEADER_BYTES + padded) };
}
