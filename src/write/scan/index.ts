export { chunksOf, rangesToMerge, type TimeRange } from './merge-ranges.ts';
export { fileColumnsSql, parquetSqlType, type ScanColumn, type ScanFile, type TableScan, tableScanSql } from './table-scan.ts';
