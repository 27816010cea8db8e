import type { ColumnStore } from '../query/index.ts';
import { Counter, Gauge, type Registry } from '../shared/prometheus.ts';
import type { BucketParts } from '../storage/index.ts';
import type { ReopeningStore } from '../write/index.ts';
import { readGauges } from './read-gauge.ts';

/** Figures of the storage engine, read when somebody scrapes. */
export function registerStorageMetrics(registry: Registry, writes: ReopeningStore): void {
  const gauge = readGauges(registry);
  gauge('influxdb3_write_buffer_bytes', 'estimated memory of rows that are not in Parquet files yet', () => writes.store.bufferedBytes);
  gauge(
    'influxdb3_series_in_memory',
    'series that are known by a number, because rows of their table are buffered or were until lately',
    () => writes.store.seriesInMemory,
  );
  gauge('influxdb3_parquet_files', 'live Parquet files', () => writes.store.parquetTotals.fileCount);
  gauge('influxdb3_parquet_size_bytes', 'size of all live Parquet files', () => writes.store.parquetTotals.sizeBytes);
  gauge('influxdb3_parquet_rows', 'rows of all live Parquet files', () => writes.store.parquetTotals.rowCount);
  gauge('influxdb3_parquet_files_damaged', 'Parquet files that were found damaged since the start', () => writes.store.damagedFiles);
  gauge('influxdb3_wal_files_lost', 'files of the log that the start found missing or damaged', () => writes.store.lostRows.length);
  gauge('influxdb3_snapshot_infos_lost', 'snapshot infos that the start found missing or damaged', () => writes.store.lostInfos.length);
  gauge('influxdb3_tables_set_aside', 'tables that cannot be written to files', () => writes.store.tablesAside.length);
  gauge('influxdb3_tables_set_aside_bytes', 'estimated memory of the rows of tables that cannot be written to files', () =>
    writes.store.tablesAside.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  gauge('influxdb3_compaction_runs', 'compactions that finished since the start', () => writes.store.compaction.runs);
  gauge(
    'influxdb3_compaction_files_removed',
    'Parquet files that compactions replaced since the start',
    () => writes.store.compaction.filesIn,
  );
}

/** Figures of an object store behind a network, and of the cache of its files. */
export function registerBucketMetrics(registry: Registry, { cache, store }: BucketParts): void {
  new Counter({
    name: 'influxdb3_object_store_requests_total',
    help: 'requests to the object store, by kind',
    labelNames: ['method'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [method, count] of store.requests.entries()) this.inc({ method }, count);
    },
  });
  const gauge = readGauges(registry);
  gauge('influxdb3_file_cache_bytes', 'disk space of copies of Parquet files', () => cache.figures.bytes);
  gauge('influxdb3_file_cache_files', 'copies of Parquet files', () => cache.figures.files);
  gauge('influxdb3_file_cache_hits', 'Parquet files that were in the cache when they were needed', () => cache.figures.hits);
  gauge('influxdb3_file_cache_fetches', 'Parquet files that were fetched because they were not', () => cache.figures.fetches);
}

/** Figures of the columns that queries keep in memory, under the names of InfluxDB 3 Core's cache of Parquet files. */
export function registerColumnMetrics(registry: Registry, columns: ColumnStore): void {
  const registers = [registry];
  new Counter({
    name: 'influxdb3_parquet_cache_access_total',
    help: 'files and buffers that queries looked for in memory',
    labelNames: ['status'],
    registers,
    collect() {
      const { hits, misses } = columns.figures;
      this.reset();
      this.inc({ status: 'cached' }, hits);
      this.inc({ status: 'miss' }, misses);
    },
  });
  new Gauge({
    name: 'influxdb3_parquet_cache_size_bytes',
    help: 'memory of the columns that queries keep',
    registers,
    collect() {
      this.set(columns.figures.bytes);
    },
  });
  new Gauge({
    name: 'influxdb3_parquet_cache_size_number_of_files',
    help: 'files and buffers that the columns are of',
    registers,
    collect() {
      this.set(columns.figures.entries);
    },
  });
}
