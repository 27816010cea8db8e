import { type ObjectStore, ObjectStoreError } from './object-store.ts';

/** Bytes of one request for a part of an object. */
export const PIECE_BYTES = 8 * 1024 * 1024;

/** The first `sizeBytes` of an object, a request for each piece. Rejects with `ObjectStoreError`, also when the object is shorter. */
export async function* piecesOf(
  objects: Pick<ObjectStore, 'getRange' | 'locate'>,
  key: string,
  sizeBytes: number,
): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < sizeBytes; start += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, sizeBytes - start);
    const piece = await objects.getRange(key, start, length);
    if (piece.byteLength !== length) throw new ObjectStoreError('UNAVAILABLE', `${objects.locate(key)} has fewer than ${sizeBytes} bytes`);
    yield piece;
  }
}
