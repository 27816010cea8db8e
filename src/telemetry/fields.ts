/**
 * The table of everything that telemetry says. Encoder order, JSON Schema, the `/telemetry` page and the table in
 * docs/telemetry.md all come from here.
 */

/** How a value is held and printed. `u64` whole number, `f32` and `f64` always with a fraction. */
export type FieldType = 'string' | 'u64' | 'f32' | 'f64' | 'invocations' | 'strings';

/** When a value is taken. */
export type Sampled = 'once at start' | 'every minute' | 'per operation' | 'when a report is built';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly unit: string;
  readonly sampled: Sampled;
  /** What the value is. */
  readonly what: string;
  /** What it is good for. */
  readonly why: string;
}

type Row = readonly [name: string, type: FieldType, unit: string, sampled: Sampled, what: string, why: string];

const START = 'once at start';
const MINUTE = 'every minute';
const OPERATION = 'per operation';
const BUILT = 'when a report is built';

const WHY_CPU = 'Shows whether typical servers are short of CPU.';
const WHY_MEMORY = 'Guides memory defaults.';
const WHY_WRITES = 'Shows how writes are batched, which the write path is tuned for.';
const WHY_QUERIES = 'Shows how much is read compared with written.';
const WHY_PARQUET = 'Shows how much data typical servers hold, which storage is tuned for.';
const WHY_TRIGGERS = 'Shows which kinds of triggers are in use.';

const ROWS = [
  [
    'os',
    'string',
    'name',
    START,
    'Kind of operating system, such as linux or macos. No release, no host name.',
    'Shows which systems to test on.',
  ],
  ['version', 'string', 'name', START, 'Product and version, such as influxdb3-3.10.0.', 'Shows which releases are in use.'],
  ['storage_type', 'string', 'name', START, 'Kind of object store, such as file or s3. No bucket, no path.', 'Shows which stores matter.'],
  ['instance_id', 'string', 'UUID', START, 'Random id of this server, made on its first start.', 'Tells reports of two servers apart.'],
  ['cores', 'u64', 'count', START, 'CPUs that the process may use, container limits included.', 'Puts CPU figures in relation.'],
  ['product_type', 'string', 'name', START, 'Always Core.', 'Tells editions apart.'],
  ['storage_engine_type', 'string', 'name', START, 'Always parquet.', 'Tells storage engines apart.'],
  ['uptime_secs', 'u64', 'seconds', BUILT, 'Time since the server started.', 'Tells long-running servers from short tests.'],
  ['cluster_uuid', 'string', 'UUID', START, 'Random id of the catalog, made with it.', 'Tells which servers belong together.'],
  [
    'serve_invocation_method',
    'u64',
    'code',
    START,
    'How the server was started: 0 explicitly, 1 quick start, 2 install script, 3 and 4 containers.',
    'Shows how people install it.',
  ],
  ['cpu_utilization_percent_min_1m', 'f32', 'percent of one core', MINUTE, 'Least CPU use of this process in any minute.', WHY_CPU],
  ['cpu_utilization_percent_max_1m', 'f32', 'percent of one core', MINUTE, 'Most CPU use of this process in any minute.', WHY_CPU],
  ['cpu_utilization_percent_avg_1m', 'f32', 'percent of one core', MINUTE, 'Running average of CPU use, two decimals.', WHY_CPU],
  ['memory_used_mb_min_1m', 'u64', 'MiB', MINUTE, 'Least resident memory of this process at any sample.', WHY_MEMORY],
  ['memory_used_mb_max_1m', 'u64', 'MiB', MINUTE, 'Most resident memory of this process at any sample.', WHY_MEMORY],
  ['memory_used_mb_avg_1m', 'u64', 'MiB', MINUTE, 'Running average of resident memory.', WHY_MEMORY],
  ['write_requests_min_1m', 'u64', 'requests', OPERATION, 'Fewest write requests in any minute.', WHY_WRITES],
  ['write_requests_max_1m', 'u64', 'requests', OPERATION, 'Most write requests in any minute.', WHY_WRITES],
  ['write_requests_avg_1m', 'u64', 'requests', OPERATION, 'Running average of write requests per minute.', WHY_WRITES],
  ['write_requests_sum_1h', 'u64', 'requests', OPERATION, 'Write requests since the previous report.', WHY_WRITES],
  ['write_lines_min_1m', 'u64', 'lines', OPERATION, 'Fewest accepted lines in one request (0 in an idle minute).', WHY_WRITES],
  ['write_lines_max_1m', 'u64', 'lines', OPERATION, 'Most accepted lines in one request.', WHY_WRITES],
  ['write_lines_avg_1m', 'u64', 'lines', OPERATION, 'Running average of lines per request, minute by minute.', WHY_WRITES],
  ['write_lines_sum_1h', 'u64', 'lines', OPERATION, 'Accepted lines since the previous report.', WHY_WRITES],
  ['write_mb_min_1m', 'u64', 'MB', OPERATION, 'Smallest request body (0 in an idle minute).', WHY_WRITES],
  ['write_mb_max_1m', 'u64', 'MB', OPERATION, 'Largest request body.', WHY_WRITES],
  ['write_mb_avg_1m', 'u64', 'MB', OPERATION, 'Running average of the request body size, minute by minute.', WHY_WRITES],
  ['write_mb_sum_1h', 'u64', 'MB', OPERATION, 'Size of all request bodies since the previous report.', WHY_WRITES],
  ['query_requests_min_1m', 'u64', 'requests', OPERATION, 'Fewest queries in any minute.', WHY_QUERIES],
  ['query_requests_max_1m', 'u64', 'requests', OPERATION, 'Most queries in any minute.', WHY_QUERIES],
  ['query_requests_avg_1m', 'u64', 'requests', OPERATION, 'Running average of queries per minute.', WHY_QUERIES],
  ['query_requests_sum_1h', 'u64', 'requests', OPERATION, 'Queries since the previous report, in any language.', WHY_QUERIES],
  ['parquet_file_count', 'u64', 'files', BUILT, 'Parquet files of all databases together.', WHY_PARQUET],
  ['parquet_file_size_mb', 'f64', 'MB', BUILT, 'Size of all Parquet files together.', WHY_PARQUET],
  ['parquet_row_count', 'u64', 'rows', BUILT, 'Rows in all Parquet files together.', WHY_PARQUET],
  ['wal_single_triggers_count', 'u64', 'triggers', BUILT, 'Triggers on writes to one table.', WHY_TRIGGERS],
  ['wal_all_triggers_count', 'u64', 'triggers', BUILT, 'Triggers on writes to all tables.', WHY_TRIGGERS],
  ['schedule_triggers_count', 'u64', 'triggers', BUILT, 'Triggers on a schedule.', WHY_TRIGGERS],
  ['request_triggers_count', 'u64', 'triggers', BUILT, 'Triggers on an HTTP request.', WHY_TRIGGERS],
  [
    'plugin_trigger_invocations',
    'invocations',
    'runs',
    OPERATION,
    'Runs of plugins per kind of trigger. The three name members are always empty.',
    WHY_TRIGGERS,
  ],
  [
    'installed_packages',
    'strings',
    'names',
    BUILT,
    'Always empty: package names may be private.',
    'Kept so that the format stays complete.',
  ],
] as const satisfies readonly Row[];

/** Name of a payload field. */
export type FieldName = (typeof ROWS)[number][0];

/** All fields in the order of the wire. */
export const FIELDS: readonly (Field & { readonly name: FieldName })[] = ROWS.map(([name, type, unit, sampled, what, why]) => ({
  name,
  type,
  unit,
  sampled,
  what,
  why,
}));
