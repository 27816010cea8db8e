import { FLEET_DAYS, type Fleet, type FleetDay, type FleetNode } from '../fleet.ts';
import { escapeHtml, minuteText, readableNumber, spanText } from './html.ts';

/** Nodes on the page; the rest is counted. */
const NODES_SHOWN = 200;

const DAY_MS = 86_400_000;

/** A server that reports every hour and has not for longer than this is marked. */
const QUIET_MS = 2.5 * 3_600_000;

/** The servers that report here: versions, writes a day, one row each. `nowMs` since the epoch. */
export function renderFleet(fleet: Fleet, nowMs: number): string {
  const intro = `<p>Servers that sent reports to this one in the last ${FLEET_DAYS} days. All rows: table <code>reports</code> of database <code>telemetry</code>.</p>`;
  if (fleet.nodes.length === 0) {
    return section(`${intro}<p class="empty">No reports yet. Other servers send theirs here with <code>--telemetry-endpoint</code>.</p>`);
  }
  return section(
    `${intro}${renderFacts(fleet, nowMs)}<div class="charts">${DAY_CHARTS.map((chart) => renderDays(chart, fleet.days, nowMs)).join('\n')}</div>
${renderVersions(fleet.nodes)}${renderNodes(fleet, nowMs)}`,
  );
}

function section(content: string): string {
  return `<section aria-labelledby="fleet"><h2 id="fleet">Fleet</h2>${content}</section>`;
}

function renderFacts({ nodes, cut }: Fleet, nowMs: number): string {
  const lately = nodes.filter((node) => nowMs - node.lastSeenMs < DAY_MS);
  const sum = (of: (node: FleetNode) => number): string => readableNumber(nodes.reduce((total, node) => total + of(node), 0));
  const facts: [string, string][] = [
    ['Servers', `${cut ? 'more than ' : ''}${readableNumber(nodes.length)}`],
    ['Reported in the last day', readableNumber(lately.length)],
    ['Writes in the last day', `${sum((node) => node.writeRequests)} requests, ${sum((node) => node.writeLines)} lines`],
    ['Queries in the last day', sum((node) => node.queryRequests)],
  ];
  return `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`;
}

function renderVersions(nodes: readonly FleetNode[]): string {
  const counts = new Map<string, number>();
  for (const { version } of nodes) counts.set(version, (counts.get(version) ?? 0) + 1);
  const rows = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(
      ([version, count]) =>
        `<tr><th scope="row"><code>${escapeHtml(version)}</code></th>${cell('Servers', readableNumber(count), true)}</tr>`,
    );
  return table('Versions', ['Version', 'Servers'], rows);
}

function renderNodes({ nodes }: Fleet, nowMs: number): string {
  const rows = nodes.slice(0, NODES_SHOWN).map((node) => {
    const isQuiet = nowMs - node.lastSeenMs > QUIET_MS;
    const seen = `<time datetime="${new Date(node.lastSeenMs).toISOString()}">${minuteText(node.lastSeenMs)} UTC</time>${isQuiet ? ' <span class="odd">quiet</span>' : ''}`;
    return `<tr><th scope="row"><code>${escapeHtml(node.instanceId)}</code></th>${[
      cell('Version', escapeHtml(node.version)),
      cell('System', escapeHtml(node.os)),
      cell('Last report', seen),
      cell('Up for', spanText(node.uptimeSecs * 1000), true),
      cell('Write requests', readableNumber(node.writeRequests), true),
      cell('Lines', readableNumber(node.writeLines), true),
      cell('Queries', readableNumber(node.queryRequests), true),
    ].join('')}</tr>`;
  });
  const more = nodes.length - rows.length;
  const note = more > 0 ? `<p class="note">${readableNumber(more)} more reported before these.</p>` : '';
  const heads = ['Server', 'Version', 'System', 'Last report', 'Up for', 'Write requests', 'Lines', 'Queries'];
  return `${table('Servers, newest report first; writes and queries of the last day', heads, rows)}${note}`;
}

function table(caption: string, heads: readonly string[], rows: readonly string[]): string {
  const counts = new Set(['Servers', 'Up for', 'Write requests', 'Lines', 'Queries']);
  const head = heads.map((text) => `<th scope="col"${counts.has(text) ? ' class="count"' : ''}>${text}</th>`).join('');
  return `<div class="scroll" tabindex="0" role="group" aria-label="${caption}"><table class="fleet"><caption>${caption}</caption><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

function cell(label: string, content: string, isCount = false): string {
  return `<td data-label="${label}"${isCount ? ' class="count"' : ''}><span>${content}</span></td>`;
}

interface DayChart {
  readonly id: string;
  readonly title: string;
  readonly value: (day: FleetDay) => number;
}

const DAY_CHARTS: readonly DayChart[] = [
  { id: 'fleet-lines', title: 'Lines written a day', value: (day) => day.writeLines },
  { id: 'fleet-nodes', title: 'Servers a day', value: (day) => day.nodes },
];

const WIDTH = 640;
const HEIGHT = 140;
const BOTTOM = 116;
const TOP = 8;

/** A bar a day, to today; the figures are in its text as well. */
function renderDays({ id, title, value }: DayChart, days: readonly FleetDay[], nowMs: number): string {
  const todayMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const startMs = todayMs - (FLEET_DAYS - 1) * DAY_MS;
  const shown = days.filter((day) => day.startMs >= startMs && day.startMs <= todayMs);
  const most = Math.max(1, ...shown.map(value));
  const step = WIDTH / FLEET_DAYS;
  const bars = shown.map((day) => {
    const height = (value(day) / most) * (BOTTOM - TOP);
    const x = ((day.startMs - startMs) / DAY_MS) * step;
    const text = `${dateText(day.startMs)}: ${readableNumber(value(day))}`;
    return `<rect class="bar" x="${(x + 2).toFixed(1)}" y="${(BOTTOM - height).toFixed(1)}" width="${(step - 4).toFixed(1)}" height="${height.toFixed(1)}"><title>${text}</title></rect>`;
  });
  const today = days.find((day) => day.startMs === todayMs);
  const summary = `today so far ${readableNumber(today === undefined ? 0 : value(today))}, most ${readableNumber(most)}; days are those of UTC`;
  return `<figure class="chart"><h3 id="${id}-title">${title}</h3>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title" aria-describedby="${id}-text">
<line class="grid" x1="0" x2="${WIDTH}" y1="${BOTTOM}" y2="${BOTTOM}"/>${bars.join('')}
<text class="tick" x="0" y="${HEIGHT - 6}">${dateText(startMs)}</text><text class="tick middle" x="${WIDTH / 2}" y="${HEIGHT - 6}">${FLEET_DAYS} days</text><text class="tick end" x="${WIDTH}" y="${HEIGHT - 6}">${dateText(todayMs)}</text>
</svg><figcaption id="${id}-text">${summary}</figcaption></figure>`;
}

function dateText(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10);
}
