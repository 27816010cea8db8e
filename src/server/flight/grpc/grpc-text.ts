/** Longest text of a failure, characters. */
const MESSAGE_CHARS_MAX = 2000;

/** The text of a failure as the header `grpc-message` has it: bytes outside of visible ASCII, and `%`, are escaped. */
export function grpcMessage(text: string): string {
  const cut = text.length > MESSAGE_CHARS_MAX ? `${text.slice(0, MESSAGE_CHARS_MAX)}...` : text;
  let escaped = '';
  for (const byte of Buffer.from(cut)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    escaped += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return escaped;
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Longest time that a timer can be set to, ms. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/** Milliseconds of the header `grpc-timeout`; undefined when it is absent or cannot be read. */
export function grpcTimeoutMs(header: string | undefined): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(header ?? '');
  if (match === null) return undefined;
  return Math.min(TIMER_MS_MAX, Math.ceil(Number(match[1]) * (UNIT_MS[match[2] as string] as number)));
}
