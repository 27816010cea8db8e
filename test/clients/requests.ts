/** Requests as clients of InfluxDB 1 and 2 put them on the wire, read from their sources, and what each must hear. */
import { gzipSync } from 'node:zlib';
import { AT, type ClientRequest, DONE, FORM, go, JSON_TYPE, query } from './client-request.ts';
import { LIBRARY_REQUESTS } from './requests-libraries.ts';

const TELEGRAF = 'Telegraf/1.35.0 Go/1.24.4';

const telegraf: readonly Omit<ClientRequest, 'client'>[] = [
  {
    what: 'influxdb: makes its database first',
    line: 'POST /query',
    headers: go(TELEGRAF, { Authorization: 'BASIC', 'Content-Type': FORM }),
    body: 'q=CREATE+DATABASE+%22telegraf%22',
    status: 200,
    answers: JSON_TYPE,
    text: DONE,
  },
  {
    what: 'influxdb: a zipped batch for a policy',
    line: 'POST /write?consistency=any&db=telegraf&rp=autogen',
    headers: go(TELEGRAF, { Authorization: 'BASIC', 'Content-Encoding': 'gzip', 'Content-Type': 'text/plain; charset=utf-8' }),
    body: gzipSync(`cpu,host=a usage_idle=99.5 ${AT}\n`),
    status: 204,
    text: '',
  },
  {
    what: 'influxdb: a batch with a bad line, which is dropped and not sent again',
    line: 'POST /write?db=telegraf',
    headers: go(TELEGRAF, { Authorization: 'BASIC', 'Content-Type': 'text/plain; charset=utf-8' }),
    body: `cpu,host=a usage_idle="text" ${AT}\nmem,host=a free=1i ${AT}\n`,
    status: 400,
    answers: JSON_TYPE,
    text: /^\{"error":"partial write: field type conflict: input field \\"usage_idle\\" on measurement \\"cpu\\" is type string, already exists as type float dropped=1"\}$/,
  },
  {
    what: 'influxdb: what is no gzip is refused in JSON, else it would be sent again for ever',
    line: 'POST /write?db=telegraf',
    headers: go(TELEGRAF, { Authorization: 'BASIC', 'Content-Encoding': 'gzip', 'Content-Type': 'text/plain; charset=utf-8' }),
    body: 'cpu usage_idle=1',
    status: 400,
    answers: JSON_TYPE,
    text: /^\{"error":"error decoding gzip stream: /,
  },
  {
    what: 'influxdb_v2: a zipped batch',
    line: 'POST /api/v2/write?bucket=telegraf&org=mine',
    headers: go(TELEGRAF, {
      Authorization: 'Token TOKEN',
      'Content-Encoding': 'gzip',
      'Content-Type': 'text/plain; charset=utf-8',
    }),
    body: gzipSync(`cpu,host=b usage_idle=98 ${AT}\n`),
    status: 204,
    text: '',
  },
  {
    what: 'influxdb_v2: no token in its settings',
    line: 'POST /api/v2/write?bucket=telegraf&org=mine',
    headers: go(TELEGRAF, { Authorization: 'Token ', 'Content-Type': 'text/plain; charset=utf-8' }),
    body: `cpu,host=b usage_idle=98 ${AT}\n`,
    status: 401,
    answers: JSON_TYPE,
    text: '{"error": "the request was not authenticated"}',
  },
  {
    what: 'influxdb_v3: a batch that waits for the log',
    line: 'POST /api/v3/write_lp?db=telegraf&no_sync=false',
    headers: go(TELEGRAF, {
      Authorization: 'Bearer TOKEN',
      'Content-Encoding': 'gzip',
      'Content-Type': 'text/plain; charset=utf-8',
    }),
    body: gzipSync(`cpu,host=c usage_idle=97 ${AT}\n`),
    status: 204,
    text: '',
  },
];

const grafana: readonly Omit<ClientRequest, 'client'>[] = [
  {
    what: 'health check of a data source',
    line: `GET /query?${query({ db: 'telegraf', epoch: 'ms', q: 'SHOW measurements' })}`,
    headers: go('Grafana/11.0.0', { Authorization: 'BASIC' }),
    status: 200,
    answers: JSON_TYPE,
    text: '{"results":[{"statement_id":0,"series":[{"name":"measurements","columns":["name"],"values":[["cpu"],["mem"]]}]}]}',
  },
  {
    what: 'retention policies of the editor',
    line: `GET /query?${query({ db: 'telegraf', epoch: 'ms', q: 'SHOW RETENTION POLICIES on "telegraf"' })}`,
    headers: go('Grafana/11.0.0', { Authorization: 'BASIC' }),
    status: 200,
    text: /"columns":\["name","duration","shardGroupDuration","replicaN","default"\],"values":\[\["autogen","0s","168h0m0s",1,true\]\]/,
  },
  {
    what: 'measurements found while one types',
    line: `GET /query?${query({ db: 'telegraf', epoch: 'ms', q: 'SHOW MEASUREMENTS WITH MEASUREMENT =~ /(?i)CP/ LIMIT 100' })}`,
    headers: go('Grafana/11.0.0', { Authorization: 'BASIC' }),
    status: 200,
    text: /"values":\[\["cpu"\]\]/,
  },
  {
    what: 'tag values beside a chosen tag',
    line: `GET /query?${query({
      db: 'telegraf',
      epoch: 'ms',
      q: 'SHOW TAG VALUES FROM "autogen"."cpu" WITH KEY = "host" WHERE "host"::tag =~ /^[ab]$/',
      rp: 'autogen',
    })}`,
    headers: go('Grafana/11.0.0', { Authorization: 'BASIC' }),
    status: 200,
    text: /"columns":\["key","value"\],"values":\[\["host","a"\],\["host","b"\]\]/,
  },
  {
    what: 'field keys of a measurement',
    line: `GET /query?${query({ db: 'telegraf', epoch: 'ms', q: 'SHOW FIELD KEYS FROM "cpu"' })}`,
    headers: go('Grafana/11.0.0', { Authorization: 'BASIC' }),
    status: 200,
    text: /"columns":\["fieldKey","fieldType"\],"values":\[\["usage_idle","float"\]\]/,
  },
  {
    what: 'a panel, with the policy in the statement and beside it',
    line: 'POST /query?db=telegraf&epoch=ms&rp=autogen',
    headers: go('Grafana/11.0.0', { Authorization: 'BASIC', 'Content-Type': FORM }),
    body: query({
      q: 'SELECT mean("usage_idle") FROM "autogen"."cpu" WHERE time >= 1700000000000ms and time <= 1700000010000ms GROUP BY time(10s), "host"::tag fill(null) ORDER BY time ASC',
    }),
    status: 200,
    answers: JSON_TYPE,
    text: /\{"name":"cpu","tags":\{"host":"a"\},"columns":\["time","mean"\],"values":\[\[1700000000000,99.5\],\[1700000010000,null\]\]\}/,
  },
];

const kapacitor: readonly Omit<ClientRequest, 'client'>[] = [
  {
    what: 'ping',
    line: 'GET /ping?wait_for_leader=5s',
    headers: go('KapacitorInfluxDBClient', { Authorization: 'BASIC' }),
    status: 204,
    answers: { 'x-influxdb-version': /^3\./ },
  },
  {
    what: 'the databases that it may subscribe to',
    line: 'POST /query?db=&q=SHOW+DATABASES',
    headers: go('KapacitorInfluxDBClient', { Authorization: 'BASIC', 'Content-Length': '0' }),
    status: 200,
    answers: { 'x-influxdb-version': /^3\./ },
    text: /"name":"databases","columns":\["name"\],"values":\[.*\["telegraf"\]/,
  },
  {
    what: 'a subscription, which is refused with what to do',
    line: `POST /query?${query({ db: '', q: 'CREATE SUBSCRIPTION "kapacitor-1" ON telegraf.autogen DESTINATIONS ANY \'http://host:9092\'' })}`,
    headers: go('KapacitorInfluxDBClient', { Authorization: 'BASIC', 'Content-Length': '0' }),
    status: 200,
    text: /"error":"subscriptions are not supported: send the data to both servers"/,
  },
  {
    what: 'the query of a batch task',
    line: `POST /query?${query({
      db: '',
      q: "SELECT mean(usage_idle) FROM telegraf.autogen.cpu WHERE time >= '2023-11-14T22:13:00Z' AND time < '2023-11-14T22:14:00Z' GROUP BY host",
    })}`,
    headers: go('KapacitorInfluxDBClient', { Authorization: 'BASIC', 'Content-Length': '0' }),
    status: 200,
    text: /"tags":\{"host":"a"\},"columns":\["time","mean"\],"values":\[\["2023-11-14T22:13:00Z",99.5\]\]/,
  },
  {
    what: 'alerts that it writes',
    line: 'POST /write?consistency=&db=telegraf&precision=ns&rp=',
    headers: go('KapacitorInfluxDBClient', {
      Authorization: 'BASIC',
      'Content-Type': 'application/octet-stream',
      'Content-Encoding': 'gzip',
    }),
    body: gzipSync(`alerts,level=CRITICAL value=1 ${AT}\n`),
    status: 204,
    answers: { 'x-influxdb-version': /^3\./ },
  },
  {
    what: 'all organisations, among which it looks for the name or the id of its own before it makes a bucket',
    line: 'GET /api/v2/orgs',
    headers: go('KapacitorInfluxDBClient', { Authorization: 'BASIC' }),
    status: 200,
    text: /"orgs":\[\{"id":"0000000000000001","name":"influxdb3"/,
  },
  {
    what: 'a bucket of the organisation that it found',
    line: 'POST /api/v2/buckets',
    headers: go('KapacitorInfluxDBClient', { Authorization: 'BASIC', 'Content-Type': 'application/json' }),
    body: '{"orgID": "0000000000000001", "name": "kapacitor_tasks", "retentionRules": [] }',
    status: 201,
  },
];

/** In an order in which each finds what those before it wrote. */
export const CLIENT_REQUESTS: readonly ClientRequest[] = [
  ...telegraf.map((each) => ({ client: 'Telegraf', ...each })),
  ...grafana.map((each) => ({ client: 'Grafana, InfluxQL', ...each })),
  ...kapacitor.map((each) => ({ client: 'Kapacitor', ...each })),
  ...LIBRARY_REQUESTS,
];
