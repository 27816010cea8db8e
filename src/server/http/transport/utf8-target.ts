/** Longest request line that is looked at, bytes. */
const LINE_BYTES_MAX = 64 * 1024;

/** A method, a target with any bytes but blanks and controls, and the version. */
const REQUEST_LINE = /^[A-Z]+ ([!-~\x80-\xff]+) HTTP\/1\.[01]$/;

/**
 * The first bytes of a connection, in whose request line each byte above ASCII is written as `%XX`: `node:http` refuses such
 * bytes, which small clients send in names and statements. The connection ends with the answer: the next request has one of its own, whose
 * first bytes are looked at too. Other bytes are given back as they are, and the same buffer when there
 * is nothing to change or the line is not all there.
 */
export function asciiTarget(bytes: Buffer): Buffer {
  const end = bytes.subarray(0, LINE_BYTES_MAX).indexOf('\r\n');
  if (end < 0) return bytes;
  let plain = true;
  for (let at = 0; at < end && plain; at++) plain = (bytes[at] as number) < 0x80;
  if (plain) return bytes;
  const line = bytes.toString('latin1', 0, end);
  if (!REQUEST_LINE.test(line)) return bytes;
  const escaped = line.replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  return Buffer.concat([Buffer.from(`${escaped}\r\nConnection: close`, 'latin1'), bytes.subarray(end)]);
}
