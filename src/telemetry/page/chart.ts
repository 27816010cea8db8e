import type { MinuteSample } from '../history.ts';
import { escapeHtml, minuteText, readableNumber, spanText } from './html.ts';

/** One line chart over the minutes. */
export interface Chart {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** Undefined leaves a gap. */
  readonly value: (sample: MinuteSample) => number | undefined;
  /** The scale reaches at least this far. */
  readonly scaleMin: number;
}

const WIDTH = 640;
const HEIGHT = 180;
const LEFT = 48;
const RIGHT = 632;
const TOP = 16;
const BOTTOM = 154;
const SPAN_MS_MIN = 3_600_000;
/** Longer pauses between two samples are shown as a gap. */
const GAP_MS = 150_000;

/** Inline SVG that needs neither script nor font; the figures are in its text as well. */
export function renderChart(chart: Chart, samples: readonly MinuteSample[]): string {
  const points = samples.flatMap((sample) => {
    const value = chart.value(sample);
    return value === undefined ? [] : [{ timeMs: sample.timeMs, value }];
  });
  const latest = points.at(-1);
  const heading = `<h3 id="${chart.id}-title">${escapeHtml(chart.title)}</h3>`;
  if (latest === undefined) return `<figure class="chart">${heading}<p class="empty">No samples yet.</p></figure>`;
  const values = points.map((point) => point.value);
  const low = values.reduce((a, b) => Math.min(a, b));
  const high = values.reduce((a, b) => Math.max(a, b));
  const top = niceCeiling(Math.max(high, chart.scaleMin));
  const endMs = latest.timeMs;
  const startMs = Math.min(points[0]?.timeMs ?? endMs, endMs - SPAN_MS_MIN);
  const x = (timeMs: number): number => LEFT + ((timeMs - startMs) / (endMs - startMs)) * (RIGHT - LEFT);
  const y = (value: number): number => BOTTOM - (value / top) * (BOTTOM - TOP);
  const runs = splitAtGaps(points).map((run) => run.map((point) => `${round(x(point.timeMs))} ${round(y(point.value))}`));
  const summary = `latest ${readableNumber(latest.value)}, lowest ${readableNumber(low)}, highest ${readableNumber(high)} ${chart.unit}`;
  const data = points.map((point) => `${Math.round(point.timeMs / 1000)}:${round(point.value)}`).join(' ');
  return `<figure class="chart" data-points="${data}" data-unit="${escapeHtml(chart.unit)}">
${heading}
<p class="reading"><output>${readableNumber(latest.value)}</output> <span>${escapeHtml(chart.unit)}</span></p>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${chart.id}-title" aria-describedby="${chart.id}-text" data-left="${LEFT}" data-right="${RIGHT}">
${[0, top / 2, top].map((value) => gridLine(y(value), value)).join('\n')}
${runs.map((run) => (run.length === 1 ? dot(run[0] ?? '') : `<path class="area" d="M${run.join('L')}L${lastX(run)} ${BOTTOM}L${firstX(run)} ${BOTTOM}Z"/><path class="line" d="M${run.join('L')}"/>`)).join('\n')}
<text class="tick" x="${LEFT}" y="${HEIGHT - 6}">${minuteText(startMs)}</text><text class="tick middle" x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 6}">${spanText(endMs - startMs)}</text><text class="tick end" x="${RIGHT}" y="${HEIGHT - 6}">${minuteText(endMs)}</text>
</svg>
<figcaption id="${chart.id}-text">${escapeHtml(summary)}</figcaption>
</figure>`;
}

interface Point {
  readonly timeMs: number;
  readonly value: number;
}

function splitAtGaps(points: readonly Point[]): Point[][] {
  const runs: Point[][] = [];
  let previousMs = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (point.timeMs - previousMs > GAP_MS || point.timeMs < previousMs) runs.push([]);
    runs.at(-1)?.push(point);
    previousMs = point.timeMs;
  }
  return runs;
}

function gridLine(y: number, value: number): string {
  return `<line class="grid" x1="${LEFT}" x2="${RIGHT}" y1="${round(y)}" y2="${round(y)}"/><text class="tick end" x="${LEFT - 8}" y="${round(y + 4)}">${readableNumber(value)}</text>`;
}

function dot(at: string): string {
  const [x, y] = at.split(' ');
  return `<circle class="dot" cx="${x}" cy="${y}" r="3.5"/>`;
}

const firstX = (run: readonly string[]): string => run[0]?.split(' ')[0] ?? '0';
const lastX = (run: readonly string[]): string => run.at(-1)?.split(' ')[0] ?? '0';

function round(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Next of 1, 2, 4, 5 or 10 times a power of ten. */
function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 4, 5, 10].find((candidate) => candidate * power >= value) ?? 10;
  return step * power;
}
