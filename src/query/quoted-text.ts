/** A text in double quotes, escaped as InfluxDB 3 Core's messages show it: backslashes, quotes, line ends and tabs. */
export function quotedText(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return `"${escaped}"`;
}
