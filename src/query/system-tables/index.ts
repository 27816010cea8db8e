export type { Cell, RowSet } from './rows-source.ts';
export { rowsSource } from './rows-source.ts';
export { type SystemTableProvider, SystemTables } from './system-tables.ts';
