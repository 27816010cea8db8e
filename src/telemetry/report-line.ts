import type { FieldName } from './fields.ts';
import type { AcceptedReport } from './report-reader.ts';

/** Where collected reports are kept. */
export const REPORTS_DATABASE = 'telemetry';
export const REPORTS_TABLE = 'reports';

/** Text members that are stored as tags; the other text members become string fields. */
const TAGS: readonly FieldName[] = ['cluster_uuid', 'instance_id', 'os', 'product_type', 'storage_engine_type', 'storage_type', 'version'];

/**
 * One line of line protocol. Texts come from strangers: the reader let printable ASCII without backslashes through, and
 * everything that has a meaning in a tag is escaped here. `timestampNs` since the epoch.
 */
export function reportLine(report: AcceptedReport, timestampNs: bigint): string {
  const tags = TAGS.flatMap((name) => {
    const text = report.texts.get(name)?.trim() ?? '';
    return text === '' ? [] : [`${name}=${escapeTag(text)}`];
  });
  const fields: string[] = [];
  for (const [name, text] of report.texts) if (!TAGS.includes(name)) fields.push(`${name}="${text.replaceAll('"', '\\"')}"`);
  for (const [name, integer] of report.integers) fields.push(`${fieldName(name)}=${integer}i`);
  for (const [name, float] of report.floats) fields.push(`${name}=${float}`);
  for (const [type, count] of report.invocations) fields.push(`plugin_${type}_invocations=${count}i`);
  fields.push(`unknown_fields=${report.unknownFields}i`);
  return `${[REPORTS_TABLE, ...tags].join(',')} ${fields.join(',')} ${timestampNs}`;
}

/** The only array of texts is stored as its length. */
function fieldName(name: FieldName): string {
  return name === 'installed_packages' ? 'installed_packages_count' : name;
}

function escapeTag(text: string): string {
  return text.replace(/[ ,=]/g, (character) => `\\${character}`);
}
