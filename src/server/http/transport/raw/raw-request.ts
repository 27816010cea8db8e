import type { WholeBody } from '../../request/body.ts';
import type { GateRequest } from '../request-gate.ts';

/** Head of a request that is read here; a longer one is left to `node:http`. */
const HEAD_BYTES_MAX = 8 * 1024;

/** Head and body of such a request. */
export const RAW_BYTES_MAX = 64 * 1024;

/** Fields of such a head; `node:http` drops those after the 2000th, also a length. */
const FIELDS_MAX = 100;

/** Target in origin form, of the characters that RFC 3986 allows in a path and a query. */
const REQUEST_LINE = /^POST (\/[!$-;=?-Z_a-z~]*) HTTP\/1\.1\r\n/;

/**
 * One field: a token, a colon, at most one blank, and printable ASCII that neither begins nor ends with a blank. No tabs, no
 * folded lines: readers of HTTP differ most in what they do with white space.
 */
const FIELD = /([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?((?:[!-~](?:[ -~]*[!-~])?)?)\r\n/y;

const LENGTH = /^(?:0|[1-9]\d{0,4})$/;

/** Fields that change how a message is framed or a connection is used. None is common with a write. */
const LEFT_TO_NODE = new Set([
  'transfer-encoding',
  'expect',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
]);

/** Fields of a plain write that are looked at; each may stand there once. */
interface KnownFields {
  host?: string;
  connection?: string;
  authorization?: string;
  'content-length'?: string;
  'content-encoding'?: string;
}
const KNOWN = new Set<string>(['host', 'connection', 'authorization', 'content-length', 'content-encoding']);

/** The head of a plain write. */
export interface RawHead {
  /** Target as the client sent it. */
  readonly target: string;
  readonly path: string;
  readonly headers: Readonly<Pick<KnownFields, 'authorization' | 'content-encoding'>>;
  /** Where the body begins and ends in the bytes that the head was read from. */
  readonly bodyStart: number;
  readonly end: number;
}

/**
 * Reads the head of a `POST` that nobody could take for anything else: HTTP/1.1, well-formed to the letter, one host, one
 * length, nothing that changes framing or connection. Undefined for everything else, and for a head that is not all there:
 * `node:http` reads those.
 */
export function readRawHead(bytes: Buffer): RawHead | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0 || headEnd > HEAD_BYTES_MAX) return undefined;
  const text = bytes.toString('latin1', 0, headEnd + 2);
  const line = REQUEST_LINE.exec(text);
  const target = line?.[1];
  if (line === null || target === undefined) return undefined;
  const fields = readFields(text, line[0].length);
  if (fields?.host === undefined) return undefined;
  const { connection = 'keep-alive', 'content-length': length = '' } = fields;
  if (!LENGTH.test(length) || connection.toLowerCase() !== 'keep-alive') return undefined;
  const bodyStart = headEnd + 4;
  const end = bodyStart + Number(length);
  if (end > RAW_BYTES_MAX) return undefined;
  const mark = target.indexOf('?');
  return { target, path: mark < 0 ? target : target.slice(0, mark), headers: fields, bodyStart, end };
}

function readFields(text: string, start: number): KnownFields | undefined {
  const fields: KnownFields = {};
  let count = 0;
  for (let at = start; at < text.length; at = FIELD.lastIndex) {
    FIELD.lastIndex = at;
    const field = FIELD.exec(text);
    if (field === null || ++count > FIELDS_MAX) return undefined;
    const name = (field[1] as string).toLowerCase();
    if (LEFT_TO_NODE.has(name)) return undefined;
    if (!KNOWN.has(name)) continue;
    const known = name as keyof KnownFields;
    const value = field[2] as string;
    if (value === '' || fields[known] !== undefined) return undefined;
    fields[known] = value;
  }
  return fields;
}

/** A plain write that has arrived, as gate and handlers see it. */
export class RawRequest implements GateRequest, WholeBody {
  readonly method = 'POST';
  readonly headers: { authorization?: string; 'content-encoding'?: string };
  readonly socket: NonNullable<GateRequest['socket']>;
  readonly whole: Buffer;

  constructor(head: RawHead, bytes: Buffer, socket: NonNullable<GateRequest['socket']>) {
    this.headers = head.headers;
    this.socket = socket;
    this.whole = bytes.subarray(head.bodyStart, head.end);
  }
}
