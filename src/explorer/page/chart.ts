import UPlot from 'uplot';
import { chartData } from './chart-data.ts';
import { h } from './dom.ts';
import type { TableData } from './table-data.ts';

/** Hues that are told apart on light and dark ground, also by most who do not see all colours. */
const HUES = [212, 28, 145, 340, 265, 60, 185, 0, 300, 100];

/** A chart over time: drag to zoom, double click to see all. The text says why there is none. */
export function chart(data: TableData): { readonly element: HTMLElement; destroy(): void } {
  const found = chartData(data);
  if (typeof found === 'string') return { element: h('p', { class: 'empty' }, found), destroy: () => undefined };
  const { hidden, series, times } = found;
  const plot = h('div', { class: 'plot' });
  const note = h(
    'p',
    { class: 'note' },
    `UTC · drag to zoom, double click to see all${hidden > 0 ? ` · ${hidden} more series are not shown` : ''}`,
  );
  const element = h('div', { class: 'chart' }, plot, note);
  const text = colourOf('--text');
  const line = colourOf('--line');
  const axis = { stroke: text, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  const size = (): { width: number; height: number } => ({
    width: Math.max(240, plot.clientWidth),
    height: Math.max(180, plot.clientHeight - 90),
  });
  let uplot: UPlot | undefined;
  const draw = (): void => {
    uplot = new UPlot(
      {
        ...size(),
        tzDate: (seconds) => UPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
        scales: { x: { time: true } },
        axes: [
          { ...axis, values: TIME_LABELS },
          { ...axis, size: 70 },
        ],
        series: [
          { label: 'time', value: '{YYYY}-{MM}-{DD} {HH}:{mm}:{ss}' },
          ...series.map(({ label }, index) => ({
            label,
            stroke: `hsl(${HUES[index % HUES.length]} 70% ${dark ? 65 : 40}%)`,
            width: 1.5,
            dash: index >= HUES.length ? [6, 3] : [],
            points: { show: times.length < 100 },
          })),
        ],
      },
      [[...times], ...series.map(({ values }) => values)] as UPlot.AlignedData,
      plot,
    );
  };
  const observer = new ResizeObserver(() => (uplot === undefined ? draw() : uplot.setSize(size())));
  observer.observe(plot);
  return {
    element,
    destroy: () => {
      observer.disconnect();
      uplot?.destroy();
    },
  };
}

/** Labels of the time axis by the distance of its marks in seconds, the day below its first mark, on a clock of 24 hours. */
const TIME_LABELS: UPlot.Axis.Values = [
  [3600 * 24 * 365, '{YYYY}', null, null, null, null, null, null, 1],
  [3600 * 24 * 28, '{MMM}', '\n{YYYY}', null, null, null, null, null, 1],
  [3600 * 24, '{MM}-{DD}', '\n{YYYY}', null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{YYYY}-{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', '\n{YYYY}-{MM}-{DD}', null, '\n{MM}-{DD}', null, null, null, 1],
  [0.001, ':{ss}.{fff}', '\n{YYYY}-{MM}-{DD} {HH}:{mm}', null, '\n{MM}-{DD} {HH}:{mm}', null, '\n{HH}:{mm}', null, 1],
];

/** A colour of the style sheet as a canvas takes it, light or dark as the page is. */
function colourOf(name: string): string {
  const probe = h('span');
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
