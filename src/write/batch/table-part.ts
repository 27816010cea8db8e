import type { DatabaseId, TableId } from '../../shared/ids.ts';
import type { TableDelete } from '../deletes/row-delete.ts';
import { decodeDeleteRecord, encodeDeleteRecord } from './delete-record.ts';
import { BATCH_HEADER_BYTES, TABLE_HEADER_BYTES } from './layout.ts';

/** Where a table section has its size. */
const SECTION_BYTES_AT = 20;

/**
 * What a WAL record says about one table, as a record of its own: the bytes of its rows are copied as they are, with the series
 * that they define. Undefined when it says nothing about it. Throws a plain Error when the body is neither rows nor deletes.
 */
export function tablePart(body: Uint8Array, databaseId: DatabaseId, tableId: TableId): Uint8Array | undefined {
  const deletes = decodeDeleteRecord(body);
  if (deletes !== undefined) return deletesOf(deletes, databaseId, tableId);
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (view.getUint32(0, true) !== databaseId) return undefined;
  const sections: Uint8Array[] = [];
  let at = BATCH_HEADER_BYTES;
  for (let i = view.getUint32(4, true); i > 0; i--) {
    const size = view.getUint32(at + SECTION_BYTES_AT, true);
    if (size < TABLE_HEADER_BYTES || at + size > body.byteLength) throw new Error('batch: a table section passes the end of the record');
    if (view.getUint32(at, true) === tableId) sections.push(body.subarray(at, at + size));
    at += size;
  }
  if (sections.length === 0) return undefined;
  const header = Buffer.alloc(BATCH_HEADER_BYTES);
  header.writeUInt32LE(databaseId, 0);
  header.writeUInt32LE(sections.length, 4);
  return Buffer.concat([header, ...sections]);
}

function deletesOf(deletes: readonly TableDelete[], databaseId: DatabaseId, tableId: TableId): Uint8Array | undefined {
  const own = deletes.filter((deleted) => deleted.databaseId === databaseId && deleted.tableId === tableId);
  return own.length === 0 ? undefined : encodeDeleteRecord(own);
}
