const ENCODED = new Set('/\\{^}%`]">[~<#|*?');

/** One part of an object path: `.` and `..` and characters that stores or shells trip over are percent-encoded (UTF-8). */
export function encodePathPart(text: string): string {
  if (text === '.') return '%2E';
  if (text === '..') return '%2E%2E';
  let out = '';
  for (const byte of Buffer.from(text, 'utf8')) {
    const char = String.fromCharCode(byte);
    const plain = byte >= 0x20 && byte < 0x7f && !ENCODED.has(char);
    out += plain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** The text that `encodePathPart` was given; a part that it never makes comes back as it is. */
export function decodePathPart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
