/** The queries of the devops benchmark, asked of the `cpu` measurement with 100 hosts and a row each 10 s. */
export const QUESTION_NAMES = [
  'single-groupby-1-1-1',
  'single-groupby-5-8-1',
  'double-groupby-1',
  'high-cpu-all',
  'lastpoint',
  'groupby-orderby-limit',
  'count',
  'scan-mean-10',
] as const;

export type QuestionName = (typeof QUESTION_NAMES)[number];

/** A query with its parameters. Times are seconds; `hourSecs` starts a window of one hour, all data lies in [startSecs, endSecs]. */
export interface Question {
  readonly name: QuestionName;
  readonly host: string;
  readonly hosts: readonly string[];
  readonly hourSecs: number;
  readonly startSecs: number;
  readonly endSecs: number;
  /** Whether a row of the answer belongs to a host. */
  readonly hasHost: boolean;
  /** Width of the time that a row of the answer belongs to, s; undefined = to all of it. */
  readonly bucketSecs: number | undefined;
}

/** What names a row of each answer. */
const ROWS_OF: Readonly<Record<QuestionName, Pick<Question, 'hasHost' | 'bucketSecs'>>> = {
  'single-groupby-1-1-1': { hasHost: false, bucketSecs: 60 },
  'single-groupby-5-8-1': { hasHost: false, bucketSecs: 60 },
  'double-groupby-1': { hasHost: true, bucketSecs: 3600 },
  'high-cpu-all': { hasHost: true, bucketSecs: 1 },
  lastpoint: { hasHost: true, bucketSecs: undefined },
  'groupby-orderby-limit': { hasHost: false, bucketSecs: 60 },
  count: { hasHost: false, bucketSecs: undefined },
  'scan-mean-10': { hasHost: false, bucketSecs: undefined },
};

export const FIELDS = [
  ...['usage_user', 'usage_system', 'usage_idle', 'usage_nice', 'usage_iowait'],
  ...['usage_irq', 'usage_softirq', 'usage_steal', 'usage_guest', 'usage_guest_nice'],
];
const FIRST_FIELDS = FIELDS.slice(0, 5);

/** Question `round` of a name over `hours` of data: every server gets the same ones. */
export function question(name: QuestionName, round: number, startSecs: number, hours: number): Question {
  const pick = (limit: number, salt: number): number => Math.floor(((((round + 1) * 48271 + salt * 7919) % 65537) / 65537) * limit);
  const hosts = Array.from({ length: 8 }, (_, i) => `host_${(pick(100, 1) + i * 11) % 100}`);
  const hourSecs = startSecs + pick((hours - 1) * 60, 2) * 60;
  return { name, host: `host_${pick(100, 3)}`, hosts, hourSecs, startSecs, endSecs: startSecs + hours * 3600 - 10, ...ROWS_OF[name] };
}

/** As SQL. */
export function asSql(q: Question): string {
  const hour = `time >= '${iso(q.hourSecs)}' AND time < '${iso(q.hourSecs + 3600)}'`;
  const minute = `date_bin(INTERVAL '1 minute', time) AS minute`;
  switch (q.name) {
    case 'single-groupby-1-1-1':
      return `SELECT ${minute}, max(usage_user) AS m FROM cpu WHERE hostname = '${q.host}' AND ${hour} GROUP BY minute ORDER BY minute`;
    case 'single-groupby-5-8-1': {
      const hosts = q.hosts.map((host) => `'${host}'`).join(', ');
      const values = FIRST_FIELDS.map((field) => `max(${field}) AS max_${field}`).join(', ');
      return `SELECT ${minute}, ${values} FROM cpu WHERE hostname IN (${hosts}) AND ${hour} GROUP BY minute ORDER BY minute`;
    }
    case 'double-groupby-1':
      return `SELECT date_bin(INTERVAL '1 hour', time) AS hour, hostname, avg(usage_user) AS m FROM cpu GROUP BY hour, hostname ORDER BY hour, hostname`;
    case 'high-cpu-all':
      return 'SELECT * FROM cpu WHERE usage_user > 90.0';
    case 'lastpoint':
      return `SELECT hostname, ${FIELDS.join(', ')} FROM (SELECT *, row_number() OVER (PARTITION BY hostname ORDER BY time DESC) AS rn FROM cpu) AS x WHERE rn = 1`;
    case 'groupby-orderby-limit':
      return `SELECT ${minute}, max(usage_user) AS m FROM cpu WHERE time < '${iso(q.hourSecs + 3600)}' GROUP BY minute ORDER BY minute DESC LIMIT 5`;
    case 'count':
      return 'SELECT count(usage_user) AS n FROM cpu';
    case 'scan-mean-10':
      return `SELECT ${FIELDS.map((field) => `avg(${field}) AS mean_${field}`).join(', ')} FROM cpu`;
  }
}

/** As InfluxQL. */
export function asInfluxQl(q: Question): string {
  const hour = `time >= '${iso(q.hourSecs)}' AND time < '${iso(q.hourSecs + 3600)}'`;
  const all = `time >= '${iso(q.startSecs)}' AND time <= '${iso(q.endSecs)}'`;
  switch (q.name) {
    case 'single-groupby-1-1-1':
      return `SELECT max(usage_user) FROM cpu WHERE hostname = '${q.host}' AND ${hour} GROUP BY time(1m)`;
    case 'single-groupby-5-8-1': {
      const hosts = q.hosts.map((host) => `hostname = '${host}'`).join(' OR ');
      return `SELECT ${FIRST_FIELDS.map((field) => `max(${field})`).join(', ')} FROM cpu WHERE (${hosts}) AND ${hour} GROUP BY time(1m)`;
    }
    case 'double-groupby-1':
      return `SELECT mean(usage_user) FROM cpu WHERE ${all} GROUP BY time(1h), hostname`;
    case 'high-cpu-all':
      return 'SELECT * FROM cpu WHERE usage_user > 90.0';
    case 'lastpoint':
      return `SELECT ${FIELDS.join(', ')} FROM cpu GROUP BY hostname ORDER BY time DESC LIMIT 1`;
    case 'groupby-orderby-limit':
      return `SELECT max(usage_user) FROM cpu WHERE time >= '${iso(q.startSecs)}' AND time < '${iso(q.hourSecs + 3600)}' GROUP BY time(1m) ORDER BY time DESC LIMIT 5`;
    case 'count':
      return 'SELECT count(usage_user) FROM cpu';
    case 'scan-mean-10':
      return `SELECT ${FIELDS.map((field) => `mean(${field})`).join(', ')} FROM cpu`;
  }
}

/** As a path with MetricsQL; undefined where a server of single values has no such question. */
export function asMetricsPath(q: Question): string | undefined {
  const range = (query: string, from: number, to: number, step: number): string =>
    `/api/v1/query_range?nocache=1&query=${encodeURIComponent(query)}&start=${from}&end=${to}&step=${step}`;
  const instant = (query: string): string => `/api/v1/query?nocache=1&query=${encodeURIComponent(query)}&time=${q.endSecs}`;
  const span = `${q.endSecs - q.startSecs + 10}s`;
  // A window of a minute that ends at its last sample holds what the bucket of that minute holds.
  const [from, to] = [q.hourSecs + 50, q.hourSecs + 3590];
  switch (q.name) {
    case 'single-groupby-1-1-1':
      return range(`max(max_over_time(cpu_usage_user{hostname="${q.host}"}[1m]))`, from, to, 60);
    case 'single-groupby-5-8-1': {
      const series = `{__name__=~"cpu_(${FIRST_FIELDS.join('|')})",hostname=~"${q.hosts.join('|')}"}`;
      return range(`max(max_over_time(${series}[1m]) keep_metric_names) by (__name__)`, from, to, 60);
    }
    case 'double-groupby-1':
      return range('avg(avg_over_time(cpu_usage_user[1h])) by (hostname)', q.startSecs + 3590, q.endSecs, 3600);
    case 'lastpoint':
      return instant(`last_over_time({__name__=~"cpu_.+"}[${span}]) keep_metric_names`);
    case 'count':
      return instant(`sum(count_over_time(cpu_usage_user[${span}]))`);
    case 'scan-mean-10':
      return instant(`avg(avg_over_time({__name__=~"cpu_.+"}[${span}]) keep_metric_names) by (__name__)`);
    case 'high-cpu-all':
    case 'groupby-orderby-limit':
      return undefined;
  }
}

function iso(secs: number): string {
  return new Date(secs * 1000).toISOString().replace('.000Z', 'Z');
}
