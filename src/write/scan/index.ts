export { chunksOf } from './merge-ranges.ts';
export { sortedBufferSql } from './sorted-buffer.ts';
export { parquetSqlType, type ScanColumn, type ScanFile, type TableScan, tableScanSql } from './table-scan.ts';
