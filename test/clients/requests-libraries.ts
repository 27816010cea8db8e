/** Requests of libraries and small devices; see requests.ts. */
import { AT, type ClientRequest, DONE, go, JSON_TYPE, query } from './client-request.ts';

const python = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  'User-Agent': 'python-requests/2.28.1',
  'Accept-Encoding': 'gzip, deflate',
  Accept: 'application/x-msgpack',
  Connection: 'keep-alive',
  'Content-Type': 'application/json',
  Authorization: 'BASIC',
  ...more,
});

const pythons: readonly Omit<ClientRequest, 'client'>[] = [
  {
    what: 'ping',
    line: 'GET /ping',
    headers: python(),
    status: 204,
  },
  {
    what: 'nothing to write, as Home Assistant tries a connection',
    line: 'POST /write?db=home',
    headers: python({ 'Content-Type': 'application/octet-stream' }),
    body: '\n',
    status: 204,
  },
  {
    what: 'points',
    line: 'POST /write?db=home&precision=s',
    headers: python({ 'Content-Type': 'application/octet-stream' }),
    body: '°C,domain=sensor,entity_id=hall value=21.5,friendly_name_str="Hall" 1700000000\n',
    status: 204,
  },
  {
    what: 'the databases, in MessagePack',
    line: 'GET /query?q=SHOW+DATABASES%3B&db=home',
    headers: python(),
    status: 200,
    answers: { 'content-type': 'application/x-msgpack' },
    text: /databases.*values.*home/s,
  },
  {
    what: 'the value of a Home Assistant sensor',
    line: `GET /query?${query({ q: 'select mean(value) as value from "°C" where "entity_id" = \'hall\'', db: 'home' })}`,
    headers: python({ Accept: 'application/json' }),
    status: 200,
    answers: JSON_TYPE,
    text: '{"results":[{"statement_id":0,"series":[{"name":"°C","columns":["time","value"],"values":[["1970-01-01T00:00:00Z",21.5]]}]}]}',
  },
  {
    what: 'a statement with parameters, by GET with a type and no body',
    line: `GET /query?${query({ params: '{"h": "hall", "n": 9007199254740993}', q: 'SELECT value FROM "°C" WHERE entity_id = $h AND value < $n', db: 'home', epoch: 's' })}`,
    headers: python({ Accept: 'application/json' }),
    status: 200,
    text: /"values":\[\[1700000000,21.5\]\]/,
  },
];

const v2: readonly ClientRequest[] = [
  {
    client: 'influxdb-client (Python)',
    what: 'points, and a header that says that they are not zipped',
    line: 'POST /api/v2/write?org=mine&bucket=home&precision=ns',
    headers: {
      'Accept-Encoding': 'identity',
      'Content-Encoding': 'identity',
      'Content-Type': 'text/plain',
      Accept: 'application/json',
      Authorization: 'Token TOKEN',
      'User-Agent': 'influxdb-client-python/1.44.0',
    },
    body: `lux,entity_id=hall value=3 ${AT}`,
    status: 204,
  },
  {
    client: 'influxdb-client (Python)',
    what: 'health',
    line: 'GET /health',
    headers: { Accept: 'application/json', Authorization: 'Token TOKEN', 'User-Agent': 'influxdb-client-python/1.44.0' },
    status: 200,
    answers: JSON_TYPE,
    text: /^\{"name":"influxdb","message":"ready for queries and writes","checks":\[\],"status":"pass","version":"3\./,
  },
  {
    client: '@influxdata/influxdb-client',
    what: 'points that one has not waited for',
    line: 'POST /api/v2/write?org=mine&bucket=home&precision=ms',
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'User-Agent': 'influxdb-client-js/1.35.0',
      authorization: 'Token TOKEN',
      Connection: 'close',
    },
    body: 'lux,entity_id=hall value=4 1700000001000\nlux,entity_id=hall value= 1700000001000',
    status: 400,
    answers: JSON_TYPE,
    text: /^\{"code":"invalid","message":"partial write: unable to parse '.*dropped=1"\}$/,
  },
  {
    client: '@influxdata/influxdb-client',
    what: 'Flux',
    line: 'POST /api/v2/query?org=mine',
    headers: {
      accept: 'text/csv',
      'accept-encoding': 'identity',
      'content-type': 'application/json; encoding=utf-8',
      'User-Agent': 'influxdb-client-js/1.35.0',
      authorization: 'Token TOKEN',
    },
    body: '{"query":"buckets()","dialect":{"header":true,"delimiter":",","quoteChar":"\\"","commentPrefix":"#"},"type":"flux"}',
    status: 400,
    answers: JSON_TYPE,
    text: /^\{"code":"invalid","message":"Flux is not supported: /,
  },
  {
    client: 'Node-RED, InfluxDB 1.8 by the API of 2',
    what: 'points for a policy, with user and password as the token',
    line: 'POST /api/v2/write?org=&bucket=home%2Fautogen&precision=ms',
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      'User-Agent': 'influxdb-client-js/1.35.0',
      authorization: 'Token any:TOKEN',
      Connection: 'close',
    },
    body: 'flow,node=a value=1 1700000000000',
    status: 204,
  },
];

const small: readonly ClientRequest[] = [
  {
    client: 'InfluxDB for Arduino',
    what: 'whether a server of version 1 is there, with the token in the URL',
    line: 'GET /ping?verbose=true&u=any&p=TOKEN',
    headers: { 'User-Agent': 'influxdb-client-arduino/3.13.2 (ESP32)', Connection: 'keep-alive', Accept: 'application/json' },
    status: 200,
    answers: { 'x-influxdb-version': /^3\./ },
  },
  {
    client: 'InfluxDB for Arduino',
    what: 'whether a server of version 2 is there',
    line: 'GET /health',
    headers: { 'User-Agent': 'ESP8266HTTPClient', Accept: 'application/json', Authorization: 'Token TOKEN' },
    status: 200,
    text: /"status":"pass"/,
  },
  {
    client: 'collectd write_http',
    what: 'values, before it was asked for a password',
    line: 'POST /write?db=collectd',
    headers: { 'User-Agent': 'collectd/5.12.0', Accept: '*/*', 'Content-Type': 'text/plain' },
    body: 'load,host=a,type=load shortterm=0.1,midterm=0.2,longterm=0.3 1700000000000000000\n',
    status: 401,
    answers: { 'www-authenticate': /^Basic realm=/ },
  },
  {
    client: 'collectd write_http',
    what: 'values',
    line: 'POST /write?db=collectd',
    headers: { 'User-Agent': 'collectd/5.12.0', Accept: '*/*', 'Content-Type': 'text/plain', Authorization: 'BASIC' },
    body: 'load,host=a,type=load shortterm=0.1,midterm=0.2,longterm=0.3 1700000000000000000\n',
    status: 204,
  },
  {
    client: 'k6',
    what: 'makes its database, with an empty type and no body',
    line: 'POST /query?db=&params=%7B%7D&q=CREATE+DATABASE+k6',
    headers: go('k6', { 'Content-Length': '0', Authorization: 'BASIC', 'Content-Type': '' }),
    status: 200,
    answers: JSON_TYPE,
    text: DONE,
  },
  {
    client: 'k6',
    what: 'samples',
    line: 'POST /write?consistency=&db=k6&precision=ns&rp=',
    headers: go('k6', { Authorization: 'BASIC', 'Content-Type': '' }),
    body: `http_reqs,method=GET,status=200 value=1,url="http://a/" ${AT}\n`,
    status: 204,
  },
];

const others: readonly ClientRequest[] = [
  {
    client: 'Go influxdb1-client',
    what: 'a chunked query without parameters',
    line: `POST /query?${query({ chunk_size: '2', chunked: 'true', db: 'telegraf', epoch: 'ns', params: 'null', q: 'SELECT usage_idle FROM cpu' })}`,
    headers: go('InfluxDBClient', { 'Content-Length': '0', Authorization: 'BASIC', 'Content-Type': '' }),
    status: 200,
    answers: JSON_TYPE,
    text: `{"results":[{"statement_id":0,"series":[{"name":"cpu","columns":["time","usage_idle"],"values":[[${AT},99.5],[${AT},98]],"partial":true}],"partial":true}]}\n{"results":[{"statement_id":0,"series":[{"name":"cpu","columns":["time","usage_idle"],"values":[[${AT},97]]}]}]}\n`,
  },
  {
    client: 'Go influxdb1-client',
    what: 'a database that is not there',
    line: 'POST /query?db=nope&params=null&q=SELECT+v+FROM+m',
    headers: go('InfluxDBClient', { 'Content-Length': '0', Authorization: 'BASIC', 'Content-Type': '' }),
    status: 200,
    text: '{"results":[{"statement_id":0,"error":"database not found: nope"}]}',
  },
  {
    client: 'Go influxdb1-client',
    what: 'a wrong password, which must be JSON for it',
    line: 'POST /query?db=telegraf&params=null&q=SELECT+v+FROM+m',
    headers: go('InfluxDBClient', { 'Content-Length': '0', Authorization: 'Basic YTpi', 'Content-Type': '' }),
    status: 401,
    answers: JSON_TYPE,
  },
  {
    client: 'node-influx',
    what: 'a write, with the policy that is none',
    line: 'POST /write?db=telegraf&precision=n&rp=',
    headers: { Authorization: 'BASIC', Connection: 'close' },
    body: 'disk,host=a free=1i,used=2i',
    status: 204,
  },
  {
    client: 'node-influx',
    what: 'a query, with a length of nothing',
    line: 'GET /query?q=show%20measurements&db=telegraf&epoch=&rp=&params=',
    headers: { 'content-length': '0', Authorization: 'BASIC', Connection: 'close' },
    status: 200,
    text: /\["disk"\]/,
  },
  {
    client: 'node-influx',
    what: 'a change by POST, with all of it in the URL',
    line: 'POST /query?q=drop%20measurement%20%22disk%22&db=telegraf',
    headers: { 'content-length': '0', Authorization: 'BASIC', Connection: 'close' },
    status: 200,
    text: DONE,
  },
];

/** In an order in which each finds what those before it wrote, behind those of Telegraf. */
export const LIBRARY_REQUESTS: readonly ClientRequest[] = [
  ...pythons.map((each) => ({ client: 'influxdb (Python), Home Assistant', ...each })),
  ...v2,
  ...small,
  ...others,
];
