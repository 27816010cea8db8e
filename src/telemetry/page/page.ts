import { TELEMETRY_SCRIPT, TELEMETRY_STYLE } from '../../shared/gate-paths.ts';
import { FIELDS, type Field } from '../fields.ts';
import type { Fleet } from '../fleet.ts';
import type { MinuteSample } from '../history.ts';
import type { LedgerEntry } from '../ledger.ts';
import type { TelemetryStatus } from '../status.ts';
import { fieldTexts, outcomeText, TELEMETRY_VIEWS } from '../text.ts';
import { type Chart, renderChart } from './chart.ts';
import { renderFleet } from './fleet-section.ts';
import { escapeHtml, minuteText, readableNumber, spanText, timeElement } from './html.ts';

/** What the page shows. */
export interface TelemetryPageData {
  readonly status: TelemetryStatus;
  /** Next payload as text; empty when off. */
  readonly preview: string;
  readonly history: readonly MinuteSample[];
  /** Newest first. */
  readonly ledger: readonly LedgerEntry[];
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Servers that report to this one; undefined = it is no receiver; a text = why they cannot be shown. */
  readonly fleet?: Fleet | string;
}

/** Nothing from elsewhere; its script and style are files of this server, as on the explorer page, which shows this page after its login. */
export const TELEMETRY_PAGE_CSP =
  "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** The whole page; complete without script. */
export function renderTelemetryPage(data: TelemetryPageData): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Usage telemetry: ${data.status.state}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='5' fill='%232a6f6b'/%3E%3C/svg%3E">
<link rel="stylesheet" href="${TELEMETRY_STYLE}">
<script type="module" src="${TELEMETRY_SCRIPT}"></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<main id="main">
${[renderHeader(data), renderFleetOf(data), renderCharts(data), renderNext(data), renderLedger(data), renderSwitches(data)].join('\n')}
</main>
<footer><p>The same as JSON: ${Object.entries(TELEMETRY_VIEWS)
    .filter(([view]) => view !== 'preview' || data.status.state === 'on')
    .map(([view, path]) => `<a href="${path}">${view}</a>`)
    .join(', ')}. This page makes no request to any other place.</p>
<p>Logging in: when the server asks for tokens, a browser without one gets a form for it here, as on <a href="/">the explorer</a>, and keeps the token in this tab only. Programs send <code>Authorization: Bearer …</code>. Tokens come from <code>influxdb3 create token --admin</code>.</p></footer>
</body>
</html>
`;
}

function renderHeader({ nowMs, status }: TelemetryPageData): string {
  const facts: [string, string][] = [];
  if (status.state === 'on') {
    facts.push([
      'Sends to',
      status.sends_to === null ? 'nowhere' : `<code>${escapeHtml(status.sends_to).replace(/\/telem$/, '<wbr>/telem')}</code>`,
    ]);
    facts.push(['Next report', status.next_report_at === null ? 'none' : timeElement(status.next_report_at)]);
    facts.push(['Since start', reportCount(status)]);
  }
  if (status.last_attempt !== null) {
    facts.push([
      'Last report',
      `${timeElement(status.last_attempt.time)}<br><span class="${outcomeClass(status.last_attempt)}">${escapeHtml(outcomeText(status.last_attempt))}</span>`,
    ]);
  }
  return `<header>
<p class="state ${status.state}"><span class="lamp" aria-hidden="true"></span>Telemetry is ${status.state}</p>
<h1>What this server says about itself</h1>
<p class="lead">${escapeHtml(sentence(status.reason))}</p>
<p class="note">All times on this page are UTC. Made at ${minuteText(nowMs)}.</p>
${facts.length === 0 ? '' : `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`}
</header>`;
}

function renderFleetOf({ fleet, nowMs }: TelemetryPageData): string {
  if (fleet === undefined) return '';
  if (typeof fleet !== 'string') return renderFleet(fleet, nowMs);
  return `<section aria-labelledby="fleet"><h2 id="fleet">Fleet</h2><p class="bad">The reports cannot be read: ${escapeHtml(fleet)}</p></section>`;
}

function reportCount(status: TelemetryStatus): string {
  const reports = status.attempts === 1 ? '1 report' : `${status.attempts} reports`;
  const failed = status.attempts_failed === 0 ? '' : `, ${status.attempts_failed} not answered`;
  return `${reports}${failed}, ${readableNumber(status.bytes_sent)} bytes`;
}

/** Two columns of about the same height. */
const GROUPS: readonly (readonly { readonly title: string; readonly match: RegExp }[])[] = [
  [
    { title: 'The server', match: /^(os|version|storage_|instance_id|cores|product_type|uptime_secs|cluster_uuid|serve_)/ },
    { title: 'CPU and memory', match: /^(cpu|memory)_/ },
    { title: 'Storage', match: /^parquet_/ },
  ],
  [
    { title: 'Writes', match: /^write_/ },
    { title: 'Queries', match: /^query_/ },
    { title: 'Processing engine', match: /^(wal|schedule|request)_|^plugin_|^installed_/ },
  ],
];

function renderNext({ status, preview }: TelemetryPageData): string {
  if (status.state === 'off') {
    return `<section aria-labelledby="next"><h2 id="next">The next report</h2>
<p>There is none. Nothing is counted, read or sent while telemetry is off.</p></section>`;
  }
  const values = fieldTexts(preview);
  const columns = GROUPS.map((groups) => `<div>${groups.map((group) => renderGroup(group, values)).join('\n')}</div>`);
  return `<section aria-labelledby="next"><h2 id="next">The next report</h2>
<p>If it left now, these ${FIELDS.length} values would be all of it. Writes and queries of the running minute join at its end.</p>
<div class="groups">${columns.join('\n')}</div>
<details class="raw"><summary>The exact bytes <span class="note">${Buffer.byteLength(preview)} bytes</span></summary><pre tabindex="0">${escapeHtml(preview)}</pre></details>
</section>`;
}

function renderGroup({ title, match }: { title: string; match: RegExp }, values: ReadonlyMap<string, string>): string {
  const fields = FIELDS.filter((field) => match.test(field.name));
  const first = fields[0]?.why ?? '';
  const common = fields.filter((field) => field.why === first).length > fields.length / 2 ? first : '';
  const rows = fields.map((field) => renderField(field, values.get(field.name) ?? '', field.why !== common));
  return `<section class="group"><h3>${title}</h3>${common === '' ? '' : `<p class="why">${escapeHtml(common)}</p>`}<dl class="fields">${rows.join('\n')}</dl></section>`;
}

function renderField(field: Field, value: string, withReason: boolean): string {
  const unit = ['name', 'names', 'UUID', 'code', 'count'].includes(field.unit)
    ? ''
    : ` <span class="unit">${escapeHtml(field.unit)}</span>`;
  const wide = value.length > 24 ? ' class="wide"' : '';
  const reason = withReason ? ` <span>${escapeHtml(field.why)}</span>` : '';
  return `<div${wide}><dt><code>${field.name}</code></dt><dd class="value">${escapeHtml(value)}${unit}</dd><dd class="about">${escapeHtml(field.what)}${reason}</dd></div>`;
}

const CHARTS: readonly Chart[] = [
  { id: 'cpu', title: 'CPU', unit: '% of one core', value: (sample) => sample.cpuPercent, scaleMin: 10 },
  { id: 'memory', title: 'Memory', unit: 'MiB', value: (sample) => sample.memoryMib, scaleMin: 100 },
  { id: 'writes', title: 'Writes', unit: 'requests a minute', value: (sample) => sample.writeRequests, scaleMin: 4 },
  { id: 'queries', title: 'Queries', unit: 'requests a minute', value: (sample) => sample.queryRequests, scaleMin: 4 },
];

function renderCharts({ status, history }: TelemetryPageData): string {
  if (status.state === 'off') return '';
  return `<section aria-labelledby="day"><h2 id="day">The last day</h2>
<p>The minutes that the figures are made of${historySpan(history)}. They stay in the memory of this server, a day at most.</p>
<div class="charts">${CHARTS.map((chart) => renderChart(chart, history)).join('\n')}</div></section>`;
}

function historySpan(history: readonly MinuteSample[]): string {
  const [first] = history;
  const last = history.at(-1);
  if (first === undefined || last === undefined) return '';
  return `: ${minuteText(first.timeMs)} to ${minuteText(last.timeMs)}, ${spanText(last.timeMs - first.timeMs)}`;
}

/** Attempts that are visible at once; the others are one click away. */
const ENTRIES_SHOWN = 8;

function renderLedger({ ledger, status }: TelemetryPageData): string {
  const where = status.ledger_file === null ? 'in memory until the server ends' : `in <code>${escapeHtml(status.ledger_file)}</code>`;
  const list = (part: readonly LedgerEntry[]): string => `<ol class="ledger">${part.map(renderEntry).join('\n')}</ol>`;
  const older = ledger.slice(ENTRIES_SHOWN);
  const more = older.length === 0 ? '' : `<details class="older"><summary>${older.length} older</summary>${list(older)}</details>`;
  const hint =
    '<p class="note">All of them: <code>influxdb3 telemetry log</code>, or <code>SELECT * FROM system.telemetry_reports</code>.</p>';
  const entries = ledger.length === 0 ? '<p class="empty">No reports yet.</p>' : list(ledger.slice(0, ENTRIES_SHOWN)) + more + hint;
  if (ledger.length === 0 && status.state === 'off') {
    return '<section aria-labelledby="sent"><h2 id="sent">What was sent</h2><p>Nothing.</p></section>';
  }
  return `<section aria-labelledby="sent"><h2 id="sent">What was sent</h2>
<p>Every attempt with every byte, kept ${where}. Open one to see what it said.</p>${entries}</section>`;
}

function renderEntry(entry: LedgerEntry): string {
  return `<li><details><summary>${timeElement(entry.time)}<span class="outcome ${outcomeClass(entry)}">${escapeHtml(outcomeText(entry))}</span><span class="size">${readableNumber(entry.bytes)} bytes</span></summary>
<p class="note">to <code>${escapeHtml(entry.endpoint)}</code>${entry.durationMs === null ? '' : `, ${readableNumber(entry.durationMs)} ms`}</p><pre tabindex="0">${escapeHtml(entry.body)}</pre></details></li>`;
}

function renderSwitches({ status }: TelemetryPageData): string {
  const title = status.state === 'on' ? 'Switch it off' : 'Switches';
  return `<section aria-labelledby="switch"><h2 id="switch">${title}</h2>
<p>The first one switches it off at once and for good; any of the others is enough from the next start on. Off means no timer, no counter, no connection.</p>
<pre tabindex="0">influxdb3 telemetry off
influxdb3 serve --disable-telemetry-upload
INFLUXDB3_TELEMETRY_DISABLE_UPLOAD=true
DO_NOT_TRACK=1</pre></section>`;
}

function outcomeClass(attempt: { readonly status: number | null }): string {
  if (attempt.status === null) return 'bad';
  return attempt.status < 400 ? 'good' : 'odd';
}

function sentence(text: string): string {
  return `${text.startsWith('--') ? text : text.charAt(0).toUpperCase() + text.slice(1)}.`;
}
