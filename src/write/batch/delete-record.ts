import { type StoredTagValue, storedTag, type TableDelete } from '../deletes/row-delete.ts';

/** Stands where a batch has its database id; no database has it. */
const MARK = 0xffff_ffff;
const HEADER_BYTES = 8;

/**
 * Body of a WAL record that deletes rows instead of adding some: u32 0xFFFFFFFF, u32 length, then JSON
 * `{"deletes":[{"db","table","start","stop","tags":[[column id, value, true for another value], ...]}, ...]}` with times as decimal text.
 */
export function encodeDeleteRecord(deletes: readonly TableDelete[]): Uint8Array {
  const json = Buffer.from(
    JSON.stringify({
      deletes: deletes.map(({ databaseId, tableId, startNs, stopNs, tags }) => ({
        db: databaseId,
        table: tableId,
        start: startNs.toString(),
        stop: stopNs.toString(),
        tags: tags.map(storedTag),
      })),
    }),
  );
  const bytes = Buffer.alloc(HEADER_BYTES + json.length);
  bytes.writeUInt32LE(MARK, 0);
  bytes.writeUInt32LE(json.length, 4);
  json.copy(bytes, HEADER_BYTES);
  return bytes;
}

/** Undefined when the body is a batch of rows. Throws a plain Error when it is no valid delete. */
export function decodeDeleteRecord(body: Uint8Array): TableDelete[] | undefined {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== MARK) return undefined;
  const text = bytes.toString('utf8', HEADER_BYTES, HEADER_BYTES + bytes.readUInt32LE(4));
  const { deletes } = JSON.parse(text) as {
    deletes: { db: number; table: number; start: string; stop: string; tags: StoredTagValue[] }[];
  };
  return deletes.map(({ db, table, start, stop, tags }) => ({
    databaseId: db,
    tableId: table,
    startNs: BigInt(start),
    stopNs: BigInt(stop),
    tags: tags.map(([columnId, value, not]) => ({ columnId, value, not })),
  }));
}
