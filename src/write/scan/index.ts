export { chunksOf, rangesToMerge, type TimeRange } from './merge-ranges.ts';
export { sortedBufferSql } from './sorted-buffer.ts';
export { bufferRowsSql, fileColumnsSql, type ScanColumn, type ScanFile, type TableScan, tableScanSql } from './table-scan.ts';
