export { type ColumnSection, decodeBatch, type NewSeries, type TableSection } from './decode.ts';
export { decodeDeleteRecord, encodeDeleteRecord } from './delete-record.ts';
export { encodeBatch, SeriesDefinitions } from './encode.ts';
