import type { TelemetryResolution } from './resolve.ts';

/** What a person reads once, at the first start on a data directory. Empty when telemetry is off or cannot send. */
export function firstStartNotice(resolution: TelemetryResolution): string {
  if (resolution.state === 'off' || resolution.target.kind === 'unusable') return '';
  return `This server reports how it is used: 41 figures such as version, CPU, memory, and counts of writes and queries,
once an hour, for the first time in an hour, to ${new URL(resolution.target.url).origin}.
No database contents, no queries, no names. Whoever receives it sees the address that it comes from.

  see the next report     influxdb3 telemetry preview
  see what was sent       influxdb3 telemetry log
  switch it off           influxdb3 telemetry off, now and for good
                          or influxdb3 serve --disable-telemetry-upload
                          or INFLUXDB3_TELEMETRY_DISABLE_UPLOAD=true, or DO_NOT_TRACK=1

This notice is shown once.
`;
}
