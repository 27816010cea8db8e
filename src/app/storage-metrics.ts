import type { ValueCaches } from '../caches/index.ts';
import type { ColumnStore } from '../query/index.ts';
import type { Clock } from '../shared/clock.ts';
import { Counter, Gauge, type Registry } from '../shared/prometheus.ts';
import { readCounters, readGauges } from '../shared/read-metrics.ts';
import type { BucketParts } from '../storage/index.ts';
import type { ReopeningStore } from '../write/index.ts';

/** Figures of the storage engine, read when somebody scrapes. */
export function registerStorageMetrics(registry: Registry, writes: ReopeningStore, clock: Pick<Clock, 'nowMs'>): void {
  const gauge = readGauges(registry);
  registerLogMetrics(registry, writes, clock);
  registerSnapshotMetrics(registry, writes);
  registerCompactionMetrics(registry, writes);
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
}

function registerLogMetrics(registry: Registry, writes: ReopeningStore, clock: Pick<Clock, 'nowMs'>): void {
  const gauge = readGauges(registry);
  const counter = readCounters(registry);
  gauge('influxdb3_wal_files', 'closed files of the write-ahead log that are not deleted yet', () => writes.store.log.files);
  gauge('influxdb3_wal_size_bytes', 'size of these files', () => writes.store.log.bytes);
  gauge('influxdb3_wal_age_seconds', 'age of the oldest file of the log that no snapshot covers, 0 when there is none', () => {
    const { oldestUncoveredAtMs } = writes.store.snapshots;
    return oldestUncoveredAtMs === undefined ? 0 : Math.max(0, clock.nowMs() - oldestUncoveredAtMs) / 1000;
  });
  gauge('influxdb3_wal_queued_bytes', 'size of writes that are on their way to the disk', () => writes.store.log.queuedBytes);
  counter('influxdb3_wal_failures_total', 'writes that the log could not take since the start', () => writes.store.log.failedRecords);
}

function registerSnapshotMetrics(registry: Registry, writes: ReopeningStore): void {
  const gauge = readGauges(registry);
  const counter = readCounters(registry);
  counter('influxdb3_snapshots_total', 'snapshots that finished since the start', () => writes.store.snapshots.runs);
  counter(
    'influxdb3_snapshot_failures_total',
    'steps of snapshots that failed; they are tried again',
    () => writes.store.snapshots.failures,
  );
  counter('influxdb3_snapshot_seconds_total', 'time of snapshots', () => writes.store.snapshots.durationMs / 1000);
  gauge('influxdb3_snapshot_last_duration_seconds', 'time of the latest snapshot, 0 when there is none since the start', () => {
    return (writes.store.snapshots.lastDurationMs ?? 0) / 1000;
  });
  gauge('influxdb3_snapshot_last_timestamp_seconds', 'end of the latest snapshot since unix epoch in seconds, 0 when there is none', () => {
    return (writes.store.snapshots.lastEndedAtMs ?? 0) / 1000;
  });
}

function registerCompactionMetrics(registry: Registry, writes: ReopeningStore): void {
  const gauge = readGauges(registry);
  const counter = readCounters(registry);
  gauge('influxdb3_compaction_runs', 'compactions that finished since the start', () => writes.store.compaction.runs);
  gauge(
    'influxdb3_compaction_files_removed',
    'Parquet files that compactions replaced since the start',
    () => writes.store.compaction.filesIn,
  );
  counter(
    'influxdb3_compaction_read_bytes_total',
    'size of the Parquet files that compactions replaced',
    () => writes.store.compaction.bytesIn,
  );
  counter('influxdb3_compaction_written_bytes_total', 'size of the files that they made of them', () => writes.store.compaction.bytesOut);
  counter('influxdb3_compaction_seconds_total', 'time of compactions', () => writes.store.compaction.durationMs / 1000);
  gauge(
    'influxdb3_compaction_last_timestamp_seconds',
    'end of the latest compaction since unix epoch in seconds, 0 when there is none',
    () => {
      return (writes.store.compaction.lastEndedAtMs ?? 0) / 1000;
    },
  );
  counter(
    'influxdb3_maintenance_failures_total',
    'steps of compaction, retention and deletes that failed; they are tried again',
    () => writes.store.maintenanceFailures,
  );
}

/** Figures of last-value and distinct-value caches. */
export function registerValueCacheMetrics(registry: Registry, caches: ValueCaches): void {
  const gauge = (name: string, help: string, figure: 'caches' | 'entries' | 'bytes'): void => {
    new Gauge({
      name,
      help,
      labelNames: ['kind'],
      registers: [registry],
      collect() {
        for (const kind of ['last', 'distinct'] as const) this.set({ kind }, caches.totals(kind)[figure]);
      },
    });
  };
  gauge('influxdb3_value_caches', 'last-value and distinct-value caches', 'caches');
  gauge('influxdb3_value_cache_entries', 'keys and combinations that they hold', 'entries');
  gauge('influxdb3_value_cache_bytes', 'estimated memory of these caches', 'bytes');
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
