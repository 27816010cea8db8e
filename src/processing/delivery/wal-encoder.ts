import type { FieldType } from '../../shared/column-type.ts';
import type { ColumnSection } from '../../write/batch/index.ts';
import type { SeriesIndex } from '../../write/series/index.ts';
import { BlockBytes, type BlockColumn, type BlockHead, type Blocks, type BlockType, validBytes } from '../calls/blocks.ts';
import type { WalBatch, WalRows } from './wal-rows.ts';

/** Series that a host is trusted to remember; then it is told to forget them all. */
const SERIES_REMEMBERED_MAX = 50_000;

const DEFINITION_HEADER_BYTES = 8;

const blockTypes: Readonly<Record<FieldType, BlockType>> = {
  float: 'f64',
  integer: 'i64',
  uinteger: 'u64',
  boolean: 'bool',
  string: 'str',
};

/**
 * Writes rows of the log in the form that one host reads. It remembers which series the host knows, so tags are sent once;
 * what it makes must reach the host in the order in which it was made.
 */
export class WalEncoder {
  /** Weak: a table gets another index when its series were forgotten, and the old one must be able to go. */
  #known = new WeakMap<SeriesIndex, { readonly key: number; sent: Uint8Array }>();
  #nextKey = 0;
  #remembered = 0;

  /** Blocks of the batches' rows: tables in the order of their first row, rows of a table in the order of the log. */
  encode(batches: readonly WalBatch[]): Blocks {
    const byTable = new Map<string, WalRows[]>();
    for (const { tables } of batches) {
      for (const rows of tables) {
        const known = byTable.get(rows.tableName);
        if (known === undefined) byTable.set(rows.tableName, [rows]);
        else known.push(rows);
      }
    }
    let forget = this.#remembered > SERIES_REMEMBERED_MAX;
    if (forget) {
      this.#known = new WeakMap();
      this.#remembered = 0;
    }
    const bytes = new BlockBytes();
    const heads: BlockHead[] = [];
    for (const rows of [...byTable.values()].flat()) {
      heads.push(this.#encode(rows, bytes, forget));
      forget = false;
    }
    return { heads, data: bytes.join() };
  }

  #encode({ tableName, section, series, columns }: WalRows, bytes: BlockBytes, forget: boolean): BlockHead {
    const { key, definitions } = this.#define(series, section.seriesIds);
    const definitionBytes = writeDefinitions(series, definitions);
    bytes.add(definitionBytes);
    bytes.addArray(section.seriesIds);
    bytes.addArray(section.timesNs);
    const blockColumns: BlockColumn[] = [];
    for (const column of section.columns) {
      const name = columns[column.columnId]?.name;
      if (name === undefined) throw new Error('internal error: rows have a column that their table does not have');
      blockColumns.push({ name, type: blockTypes[column.type], valid: column.valid !== undefined });
      writeColumn(column, section.rowCount, bytes);
    }
    const tags = definitions.length === 0 ? [] : columns.filter(({ type }) => type === 'tag').map(({ id, name }) => [id, name]);
    return {
      rows: section.rowCount,
      columns: blockColumns,
      wal: {
        table: tableName,
        seriesKey: key,
        forget,
        definitions: definitions.length,
        definitionBytes: definitionBytes.byteLength,
        tags: Object.fromEntries(tags) as Record<string, string>,
      },
    };
  }

  /** Series among the ids that the host does not know yet; it will. */
  #define(series: SeriesIndex, ids: Int32Array): { readonly key: number; readonly definitions: readonly number[] } {
    let known = this.#known.get(series);
    if (known === undefined) {
      known = { key: this.#nextKey++, sent: new Uint8Array(Math.max(64, series.count)) };
      this.#known.set(series, known);
    } else if (known.sent.length < series.count) {
      const grown = new Uint8Array(series.count * 2);
      grown.set(known.sent);
      known.sent = grown;
    }
    const { key, sent } = known;
    const definitions: number[] = [];
    for (const id of ids) {
      if (sent[id] === 1) continue;
      sent[id] = 1;
      definitions.push(id);
    }
    this.#remembered += definitions.length;
    return { key, definitions };
  }
}

function writeDefinitions(series: SeriesIndex, ids: readonly number[]): Uint8Array {
  const size = ids.reduce((sum, id) => sum + DEFINITION_HEADER_BYTES + series.canonicalLength(id), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const id of ids) {
    const canonical = series.canonicalOf(id);
    view.setUint32(at, id, true);
    view.setUint32(at + 4, canonical.length, true);
    bytes.set(canonical, at + DEFINITION_HEADER_BYTES);
    at += DEFINITION_HEADER_BYTES + canonical.length;
  }
  return bytes;
}

function writeColumn({ data, offsets, valid }: ColumnSection, rows: number, bytes: BlockBytes): void {
  if (valid !== undefined) bytes.add(validBytes(valid, rows));
  if (offsets !== undefined) bytes.addArray(offsets);
  bytes.add(data);
}
