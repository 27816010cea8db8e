import type { ColumnSection, TableSection } from '../batch/index.ts';

/** The rows of a section whose time passes, copied; the order stays. */
export function sectionRows(section: TableSection, keep: (timeNs: bigint) => boolean): TableSection {
  const rows: number[] = [];
  for (let row = 0; row < section.rowCount; row++) if (keep(section.timesNs[row] as bigint)) rows.push(row);
  const timesNs = BigInt64Array.from(rows, (row) => section.timesNs[row] as bigint);
  let minTimeNs = timesNs[0] ?? 0n;
  let maxTimeNs = minTimeNs;
  for (const time of timesNs) {
    if (time < minTimeNs) minTimeNs = time;
    if (time > maxTimeNs) maxTimeNs = time;
  }
  return {
    ...section,
    rowCount: rows.length,
    minTimeNs,
    maxTimeNs,
    timesNs,
    seriesIds: Int32Array.from(rows, (row) => section.seriesIds[row] as number),
    columns: section.columns.map((column) => columnRows(column, rows)),
  };
}

function columnRows(column: ColumnSection, rows: readonly number[]): ColumnSection {
  const valid = column.valid === undefined ? undefined : validRows(column.valid, rows);
  if (column.offsets !== undefined) return { ...column, valid, ...stringRows(column.offsets, column.data, rows) };
  const width = column.type === 'boolean' ? 1 : 8;
  const data = new Uint8Array(rows.length * width);
  rows.forEach((row, i) => {
    data.set(column.data.subarray(row * width, (row + 1) * width), i * width);
  });
  return { ...column, valid, data };
}

function validRows(valid: Uint8Array, rows: readonly number[]): Uint8Array {
  const out = new Uint8Array((rows.length + 7) >> 3);
  rows.forEach((row, i) => {
    if (((valid[row >> 3] as number) >> (row & 7)) & 1) out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7));
  });
  return out;
}

function stringRows(offsets: Uint32Array, bytes: Uint8Array, rows: readonly number[]): { offsets: Uint32Array; data: Uint8Array } {
  const parts: Uint8Array[] = [];
  const newOffsets = new Uint32Array(rows.length + 1);
  rows.forEach((row, i) => {
    const part = bytes.subarray(offsets[row] as number, offsets[row + 1] as number);
    parts.push(part);
    newOffsets[i + 1] = (newOffsets[i] as number) + part.length;
  });
  return { offsets: newOffsets, data: Buffer.concat(parts) };
}
