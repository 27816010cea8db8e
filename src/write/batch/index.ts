export { type ColumnSection, decodeBatch, forEachDefinition, type SeriesDefinitionBytes, type TableSection } from './decode.ts';
export { decodeDeleteRecord, encodeDeleteRecord } from './delete-record.ts';
export { encodeBatch, SeriesDefinitions } from './encode.ts';
export { BatchReceipt } from './receipt.ts';
export { tablePart } from './table-part.ts';
