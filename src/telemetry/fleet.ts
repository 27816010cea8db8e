import { REPORTS_DATABASE, REPORTS_TABLE } from './report-line.ts';

/** A server that reported here. */
export interface FleetNode {
  readonly instanceId: string;
  /** Of its newest report, as the next two; empty when reports do not say. */
  readonly version: string;
  readonly os: string;
  readonly uptimeSecs: number;
  /** Milliseconds since the epoch. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** Sums of the last day. */
  readonly writeRequests: number;
  readonly writeLines: number;
  readonly queryRequests: number;
}

/** What all servers together did on one day. */
export interface FleetDay {
  /** Midnight UTC, milliseconds since the epoch. */
  readonly startMs: number;
  readonly nodes: number;
  readonly writeRequests: number;
  readonly writeLines: number;
  readonly queryRequests: number;
}

/** The servers that reported in the last `FLEET_DAYS` days, for people who look. */
export interface Fleet {
  /** Newest report first. */
  readonly nodes: readonly FleetNode[];
  /** True: there are more nodes than are listed. */
  readonly cut: boolean;
  /** Oldest first; days without a report are left out. */
  readonly days: readonly FleetDay[];
}

/** Days that the fleet is looked at. */
export const FLEET_DAYS = 30;

/** Nodes that are read at most. */
const FLEET_NODES_MAX = 10_000;

/** A cell of an answer: times in nanoseconds since the epoch. */
export type FleetCell = string | number | bigint | boolean | null;

/** What the collected reports are read from. */
export interface ReportSource {
  /** Names of the columns of a table; undefined = there is no such table (yet). */
  columns(database: string, table: string): ReadonlySet<string> | undefined;
  /** Runs SQL as the server itself: neither counted nor in the query log. */
  rows(database: string, sql: string): Promise<readonly (readonly FleetCell[])[]>;
}

/** Reads the collected reports of `--telemetry-receiver`; an empty fleet before the first. Rejects as queries do. */
export async function readFleet(source: ReportSource): Promise<Fleet> {
  const columns = source.columns(REPORTS_DATABASE, REPORTS_TABLE);
  if (columns === undefined) return { nodes: [], cut: false, days: [] };
  // Every member but two may be missing in all reports so far.
  const given = (name: string, expression: string): string => `${columns.has(name) ? expression : 'NULL'} AS ${name}`;
  const last = (name: string): string => given(name, `last_value(${name} ORDER BY time)`);
  const lately = (name: string): string => given(name, `sum(CASE WHEN time > now() - INTERVAL '1 day' THEN ${name} ELSE 0 END)`);
  const sums = ['write_requests_sum_1h', 'write_lines_sum_1h', 'query_requests_sum_1h'];
  const from = `FROM ${REPORTS_TABLE} WHERE time > now() - INTERVAL '${FLEET_DAYS} days'`;
  const facts = [...['version', 'os', 'uptime_secs'].map(last), 'min(time) AS first_seen', 'max(time) AS last_seen', ...sums.map(lately)];
  const nodes = await source.rows(
    REPORTS_DATABASE,
    `SELECT instance_id, ${facts.join(', ')} ${from} GROUP BY instance_id ORDER BY last_seen DESC LIMIT ${FLEET_NODES_MAX + 1}`,
  );
  const totals = ['count(DISTINCT instance_id) AS nodes', ...sums.map((name) => given(name, `sum(${name})`))];
  const days = await source.rows(
    REPORTS_DATABASE,
    `SELECT date_bin(INTERVAL '1 day', time) AS day, ${totals.join(', ')} ${from} GROUP BY day ORDER BY day`,
  );
  return {
    nodes: nodes.slice(0, FLEET_NODES_MAX).map(nodeOf),
    cut: nodes.length > FLEET_NODES_MAX,
    days: days.map(([start, ...counts]) => {
      const [reporting = 0, writeRequests = 0, writeLines = 0, queryRequests = 0] = counts.map(numberOf);
      return { startMs: msOf(start), nodes: reporting, writeRequests, writeLines, queryRequests };
    }),
  };
}

function nodeOf([instanceId, version, os, uptime, first, last, ...counts]: readonly FleetCell[]): FleetNode {
  const [writeRequests = 0, writeLines = 0, queryRequests = 0] = counts.map(numberOf);
  return {
    instanceId: String(instanceId ?? ''),
    version: String(version ?? ''),
    os: String(os ?? ''),
    uptimeSecs: numberOf(uptime),
    firstSeenMs: msOf(first),
    lastSeenMs: msOf(last),
    writeRequests,
    writeLines,
    queryRequests,
  };
}

function numberOf(cell: FleetCell | undefined): number {
  return Number(cell ?? 0);
}

function msOf(cell: FleetCell | undefined): number {
  return Number(BigInt(cell ?? 0) / 1_000_000n);
}
