import type { Clock } from '../shared/clock.ts';
import type { MinuteSample } from './history.ts';
import { type Invocation, InvocationRegistry } from './invocations.ts';
import { encodePayload, type Payload, roundToCents } from './payload.ts';
import type { TelemetryRecorder, TelemetrySources } from './recorder.ts';
import type { StaticFacts } from './static-facts.ts';
import type { IntStats } from './stats.ts';
import { HourWindow, MinuteBucket } from './window.ts';

const BYTES_PER_MIB = 1_048_576;
const BYTES_PER_MB = 1_000_000;

/** CPU and memory of this process at one tick. */
export interface ProcessReading {
  /** 100 = one core busy. */
  readonly cpuPercent: number;
  readonly rssBytes: number;
}

export interface TelemetryStoreDeps {
  readonly facts: StaticFacts;
  readonly sources: TelemetrySources;
  readonly clock: Clock;
  /** Names of installed Python packages; shown by the local test endpoint only. */
  readonly installedPackages?: (() => readonly string[]) | undefined;
  /** Told about a source that failed; its figures are then 0. */
  readonly onSourceError: (error: unknown) => void;
}

/** Counters and everything else a payload is made of. All methods are synchronous; recording is O(1) without allocation. */
export class TelemetryStore implements TelemetryRecorder {
  readonly invocations = new InvocationRegistry();
  private readonly deps: TelemetryStoreDeps;
  private readonly bucket = new MinuteBucket();
  private readonly window = new HourWindow();
  private readonly createdMs: number;

  constructor(deps: TelemetryStoreDeps) {
    this.deps = deps;
    this.createdMs = deps.clock.monotonicMs();
  }

  recordWrite(lines: number, bytes: number): void {
    this.bucket.recordWrite(lines, bytes);
  }

  recordQuery(): void {
    this.bucket.recordQuery();
  }

  /** Ends a minute: takes the reading in (if there is one), rolls the bucket up and empties it. */
  tick(reading: ProcessReading | undefined): MinuteSample {
    const memoryMib = reading === undefined ? undefined : Math.floor(reading.rssBytes / BYTES_PER_MIB);
    if (reading !== undefined) this.window.cpu.update(reading.cpuPercent);
    if (memoryMib !== undefined) this.window.memoryMib.update(memoryMib);
    this.window.rollUp(this.bucket);
    const sample: MinuteSample = {
      timeMs: this.deps.clock.nowMs(),
      cpuPercent: reading?.cpuPercent,
      memoryMib,
      writeRequests: this.bucket.writeRequests,
      writeLines: this.bucket.lineSum,
      writeBytes: this.bucket.byteSum,
      queryRequests: this.bucket.queryRequests,
    };
    this.bucket.reset();
    return sample;
  }

  /** The payload as it would be sent now. Changes nothing. */
  preview(): Uint8Array {
    return Buffer.from(encodePayload(this.payload(this.invocations.redacted(), [])));
  }

  /** The payload of `preview()`, and a fresh window, in one synchronous step: nothing can fall in between. */
  takeAndReset(): Uint8Array {
    const body = this.preview();
    this.window.reset();
    this.invocations.reset();
    return body;
  }

  /** The payload with names, for the hidden local test endpoint. Changes nothing and is never sent. */
  snapshotJson(): string {
    return encodePayload(this.payload(this.invocations.named(), this.packages()));
  }

  private payload(invocations: readonly Invocation[], packages: readonly string[]): Payload {
    const { facts, clock, sources } = this.deps;
    const window = this.window;
    const parquet = this.read(() => sources.parquetTotals(), { fileCount: 0, sizeBytes: 0, rowCount: 0 });
    const triggers = this.read(() => sources.triggerCounts(), { walSingle: 0, walAll: 0, schedule: 0, request: 0 });
    return {
      os: facts.os,
      version: facts.version,
      storage_type: facts.storageType,
      instance_id: facts.instanceId,
      cores: facts.cores,
      product_type: 'Core',
      storage_engine_type: 'parquet',
      uptime_secs: Math.floor((clock.monotonicMs() - this.createdMs) / 1000),
      cluster_uuid: facts.clusterUuid,
      serve_invocation_method: facts.serveInvocationMethod,
      cpu_utilization_percent_min_1m: window.cpu.min,
      cpu_utilization_percent_max_1m: window.cpu.max,
      cpu_utilization_percent_avg_1m: roundToCents(window.cpu.avg),
      memory_used_mb_min_1m: window.memoryMib.min,
      memory_used_mb_max_1m: window.memoryMib.max,
      memory_used_mb_avg_1m: window.memoryMib.avg,
      ...named('write_requests', window.writeRequests, window.writeRequestSum),
      ...named('write_lines', window.lines, window.lineSum),
      write_mb_min_1m: megabytes(window.bytes.min),
      write_mb_max_1m: megabytes(window.bytes.max),
      write_mb_avg_1m: megabytes(window.bytes.avg),
      write_mb_sum_1h: megabytes(window.byteSum),
      ...named('query_requests', window.queryRequests, window.queryRequestSum),
      parquet_file_count: parquet.fileCount,
      parquet_file_size_mb: parquet.sizeBytes / BYTES_PER_MB,
      parquet_row_count: parquet.rowCount,
      wal_single_triggers_count: triggers.walSingle,
      wal_all_triggers_count: triggers.walAll,
      schedule_triggers_count: triggers.schedule,
      request_triggers_count: triggers.request,
      plugin_trigger_invocations: invocations,
      installed_packages: packages,
    };
  }

  private packages(): readonly string[] {
    const names = this.read(() => this.deps.installedPackages?.() ?? [], []);
    return [...new Set(names)].sort(byCodePoint);
  }

  private read<T>(source: () => T, fallback: T): T {
    try {
      return source();
    } catch (error) {
      this.deps.onSourceError(error);
      return fallback;
    }
  }
}

type Counted = 'write_requests' | 'write_lines' | 'query_requests';
type CountedFields<P extends Counted> = Record<`${P}_min_1m` | `${P}_max_1m` | `${P}_avg_1m` | `${P}_sum_1h`, number>;

function named<P extends Counted>(prefix: P, stats: IntStats, sum: number): CountedFields<P> {
  return {
    [`${prefix}_min_1m`]: stats.min,
    [`${prefix}_max_1m`]: stats.max,
    [`${prefix}_avg_1m`]: stats.avg,
    [`${prefix}_sum_1h`]: sum,
  } as CountedFields<P>;
}

function megabytes(bytes: number): number {
  return Math.floor(bytes / BYTES_PER_MB);
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
