export { type ColumnSection, decodeBatch, type NewSeries, type TableSection } from './decode.ts';
export { encodeBatch, SeriesDefinitions } from './encode.ts';
