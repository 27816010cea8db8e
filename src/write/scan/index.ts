export { chunksOf } from './merge-ranges.ts';
export { parquetSqlType, type ScanColumn, type ScanFile, type TableScan, tableScanSql } from './table-scan.ts';
