import type { Random } from '../random.ts';
import type { Message } from './message.ts';

const SEPARATORS = [':', ':  ', ':\t', ' : ', ' :', '\t: ', ': \t ', '', ':\r\n ', ':\n ', ': \0', ';', '::', ':\v', ':\f'];
const VALUE_ENDS = [' ', '\t', '  \t ', '\r', '\n', '\0', '\x7f', '\x80', '\xff', '\v', '\f', ',', ';', ' x', '\r\n x', '\r\n\tx', '\n x'];
const LINE_ENDS = ['\n', '\r', '\r\r\n', '\r\n\r', ' \r\n', '\t\r\n', '\n\r'];
const NAME_CHANGES: readonly ((name: string) => string)[] = [
  (name) => name.toUpperCase(),
  (name) => name.toLowerCase(),
  (name) => ` ${name}`,
  (name) => `\t${name}`,
  (name) => `${name} `,
  (name) => `${name}\0`,
  (name) => `${name}\x80`,
  (name) => name.replace('-', '_'),
  (name) => `x${name}`,
  (name) => name.slice(0, -1),
  () => '',
  () => '(x)',
  (name) => `"${name}"`,
];
/** What may stand where the length stands; `N` is the true one. */
const LENGTHS = [
  ...['N\t', '\tN', ' N', 'N ', '+N', '-N', '0N', '00N', 'N,N', 'N, N', 'N N', '0xN', 'N.0', 'N;', '', ' ', 'Ne0', 'x', '-0'],
  ...['99999999999999999999', '18446744073709551615', '18446744073709551616', '4294967301', '999999999', '65536', '70000', '150', '151'],
  ...['1', '0', '2', '5', '6', '200', 'N\r\n N', '\xb2', '\xbd'],
];
const TARGETS = [
  ...['http://a/write?db=d', 'HTTP://A/write?db=d', 'http:/write?db=d', '//write?db=d', '/write?db=d#x', '/write#x', '*', 'a:80', ''],
  ...[
    '/write?db=d ',
    ' /write?db=d',
    '/write?db=d\t',
    '/write?db=\xe4',
    '/wr\xefte?db=d',
    '/write?db=d&x=\x7f',
    '/write?db=\0',
    '/./write?db=d',
  ],
  ...['/write?db=d&x="<>', '/write?db=d&x=\\^`{|}', '/write??db=d', '/write?db=d?x', '/%77rite?db=d', '/write;x?db=d', '/x/../write?db=d'],
  ...[
    '/write?db=d&x=[]',
    "/write?db=d&x='!$()*,;:@",
    '/write?db=%64',
    '/write?db=d\x0b',
    '/write?',
    '/write?db=d HTTP/1.1 ',
    '/WRITE?db=d',
  ],
];
const VERSIONS = [
  'HTTP/1.0',
  'HTTP/1.2',
  'HTTP/0.9',
  'HTTP/2.0',
  'http/1.1',
  'HTTP/1.1 ',
  ' HTTP/1.1',
  'HTTP/11',
  'HTTP/1.10',
  'HTTP/01.1',
  'HTTP',
  '',
  'ICE/1.0',
];
const METHODS = [
  'post',
  'Post',
  'POST ',
  ' POST',
  'POS',
  'POSTX',
  '\r\nPOST',
  '\nPOST',
  '\r\n\r\nPOST',
  'GET',
  'PRI',
  'P',
  '\0POST',
  'CONNECT',
  'QUERY',
  'M-SEARCH',
  'SOURCE',
];
const FRAMING: readonly (readonly [name: string, values: readonly string[]])[] = [
  [
    'Transfer-Encoding',
    [
      'chunked',
      'Chunked',
      'identity',
      'gzip, chunked',
      'chunked, gzip',
      ' chunked ',
      'chunked\t',
      'xchunked',
      'chunked;x',
      '',
      '"chunked"',
    ],
  ],
  ['Expect', ['100-continue', '100-Continue', 'x', '', '100-continue ']],
  [
    'Connection',
    [
      'close',
      'keep-alive',
      'upgrade',
      'keep-alive, close',
      'close, keep-alive',
      'x',
      '',
      'te',
      'Keep-Alive\t',
      'keep-alive,',
      'KEEP-ALIVE',
      'xkeep-alive',
      'transfer-encoding',
      'content-length',
      'http2-settings, upgrade',
    ],
  ],
  ['Upgrade', ['h2c', 'websocket', '', 'TLS/1.0']],
  ['Keep-Alive', ['timeout=1', 'max=1', '']],
  ['Proxy-Connection', ['close', 'keep-alive', '']],
  ['TE', ['trailers', 'deflate']],
  ['Trailer', ['X-A', 'Content-Length']],
  ['HTTP2-Settings', ['AAMAAABkAAQAAP__']],
  ['Host', ['', 'b', 'a b', 'a,b', '\xe4', '[::1]:1', 'a/b', 'a@b']],
  ['Content-Length', LENGTHS],
  ['Content-Encoding', ['gzip', 'GZIP', 'identity', 'br', '', 'gzip, gzip', 'gzip\t', '\tgzip']],
  [
    'Authorization',
    ['Bearer good', 'Bearer wrong', 'malformed', '', 'Bearer good ', '\tBearer good', 'Bearer  good', 'Bearer\tgood', 'Bearer g\xe4'],
  ],
  ['Set-Cookie', ['a=1', 'b=2']],
  ['Cookie', ['a=1']],
  ['__proto__', ['x']],
  ['constructor', ['x']],
  ['Content-Range', ['bytes 0-1/2']],
  ['X-HTTP-Method-Override', ['PUT']],
];

/** Spoils, or only varies, one part of a message. */
export function mutateMessage(random: Random, message: Message): void {
  random.pick(MUTATIONS)(random, message);
}

const MUTATIONS: readonly ((random: Random, message: Message) => void)[] = [
  (random, message) =>
    withField(random, message, (field) => {
      field[1] = random.pick(SEPARATORS);
    }),
  (random, message) =>
    withField(random, message, (field) => {
      field[2] += random.pick(VALUE_ENDS);
    }),
  (random, message) =>
    withField(random, message, (field) => {
      field[2] = random.pick(VALUE_ENDS) + field[2];
    }),
  (random, message) =>
    withField(random, message, (field) => {
      field[0] = random.pick(NAME_CHANGES)(field[0]);
    }),
  (random, message) =>
    withField(random, message, (field) => {
      field[2] += random.pick(LINE_ENDS);
    }),
  (random, message) =>
    withField(random, message, (field) => {
      message.fields.splice(random.below(message.fields.length + 1), 0, [...field]);
    }),
  (random, message) =>
    withField(random, message, (field) => {
      message.fields.splice(message.fields.indexOf(field), 1);
    }),
  (random, message) =>
    withField(random, message, (field) => {
      field[2] = field[2].slice(0, 20).repeat(random.pick([2, 100, 2000, 9000]));
    }),
  (random, message) => spoilLength(random, message),
  (random, message) => spoilLength(random, message),
  (random, message) => addFraming(random, message),
  (random, message) => addFraming(random, message),
  (random, message) => addFraming(random, message),
  (random, message) => makeChunked(random, message),
  (random, message) => {
    message.lineEnd = random.pick(LINE_ENDS);
  },
  (random, message) => {
    message.target = random.pick(TARGETS);
  },
  (random, message) => {
    message.version = random.pick(VERSIONS);
  },
  (random, message) => {
    message.method = random.pick(METHODS);
  },
  (random, message) => {
    message.body = Buffer.concat([message.body, random.bytes(20)]);
  },
  (_random, message) => {
    message.fields.sort(() => -1);
  },
  (random, message) => {
    for (let i = random.below(2500); i >= 0; i--) message.fields.push(['a', ':', '']);
  },
];

function withField(random: Random, message: Message, change: (field: Message['fields'][number]) => void): void {
  if (message.fields.length > 0) change(random.pick(message.fields));
}

function spoilLength(random: Random, message: Message): void {
  const field = message.fields.find(([name]) => name.toLowerCase() === 'content-length');
  if (field !== undefined) field[2] = random.pick(LENGTHS).replaceAll('N', field[2]);
}

function addFraming(random: Random, message: Message): void {
  const [name, values] = random.pick(FRAMING);
  const value = random.pick(values).replaceAll('N', String(message.body.length));
  message.fields.splice(random.below(message.fields.length + 1), 0, [name, ': ', value]);
}

const CHUNK_ENDS = [
  '0\r\n\r\n',
  '0\r\n\r\n',
  '0\r\nX-A: b\r\n\r\n',
  '0\n\n',
  '00\r\n\r\n',
  '0;x=y\r\n\r\n',
  '0 \r\n\r\n',
  '',
  '0\r\n',
  '0\r\nContent-Length: 5\r\n\r\n',
];
const CHUNK_SIZES: readonly ((size: string) => string)[] = [
  (size) => size,
  (size) => `0${size}`,
  (size) => `${size};a=b`,
  (size) => `${size} `,
  (size) => `0x${size}`,
  (size) => `-${size}`,
  () => 'x',
];

function makeChunked(random: Random, message: Message): void {
  if (random.chance(0.8)) message.fields = message.fields.filter(([name]) => name.toLowerCase() !== 'content-length');
  message.fields.push(['Transfer-Encoding', ': ', 'chunked']);
  const size = random.chance(0.7) ? message.body.length.toString(16) : random.pick(CHUNK_SIZES)(message.body.length.toString(16));
  const lineEnd = random.chance(0.9) ? '\r\n' : random.pick(LINE_ENDS);
  const chunk = Buffer.concat([Buffer.from(`${size}${lineEnd}`), message.body, Buffer.from(lineEnd)]);
  message.body = Buffer.concat([message.body.length === 0 ? Buffer.alloc(0) : chunk, Buffer.from(random.pick(CHUNK_ENDS))]);
}

const SPECIAL_BYTES = [0, 9, 10, 11, 12, 13, 32, 33, 34, 35, 44, 45, 48, 49, 57, 58, 59, 63, 65, 95, 97, 127, 128, 160, 255];

/** Changes, adds, drops or repeats a few bytes anywhere. */
export function mutateBytes(random: Random, bytes: Buffer): Buffer {
  const at = random.below(bytes.length + 1);
  const special = Buffer.from([random.pick(SPECIAL_BYTES)]);
  const kind = random.below(4);
  if (kind === 0) return Buffer.concat([bytes.subarray(0, at), special, bytes.subarray(at + 1)]);
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), special, bytes.subarray(at)]);
  if (kind === 2) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(4))]);
  const end = at + random.below(40);
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(at)]);
}
