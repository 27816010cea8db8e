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
