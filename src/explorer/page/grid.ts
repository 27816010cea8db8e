import { fill, h } from './dom.ts';
import { isNumeric, type TableData } from './table-data.ts';

const ROW_PX = 24;

/** Rows drawn above and below what is seen. */
const MARGIN_ROWS = 20;

/** Browsers cut elements that are taller; a taller table scrolls in larger steps. */
const HEIGHT_PX_MAX = 15_000_000;

const WIDTH_CH_MAX = 48;

/** A table of which only the rows that are seen are in the document, so that a million rows scroll like ten. */
export function grid(data: TableData): HTMLElement {
  const widths = data.names.map((name, index) => columnWidth(name, data.columns[index] ?? []));
  const numeric = data.columns.map(isNumeric);
  const template = `5.5ch ${widths.map((width) => `${width}ch`).join(' ')}`;
  const total = data.rowCount * ROW_PX;
  const height = Math.min(total, HEIGHT_PX_MAX);
  const cells = (row: number): HTMLElement => {
    const line = h('div', { class: 'row', role: 'row', 'aria-rowindex': row + 2 });
    line.style.gridTemplateColumns = template;
    line.append(h('span', { class: 'number', role: 'rowheader' }, String(row + 1)));
    for (let column = 0; column < data.names.length; column += 1) {
      const text = data.cell(row, column);
      line.append(
        h(
          'span',
          { class: numeric[column] ? 'number' : undefined, role: 'cell', title: text.length > WIDTH_CH_MAX ? text : undefined },
          text,
        ),
      );
    }
    return line;
  };
  const head = h('div', { class: 'row head', role: 'row' }, h('span', { role: 'columnheader' }, '#'));
  head.style.gridTemplateColumns = template;
  for (const [index, name] of data.names.entries())
    head.append(h('span', { role: 'columnheader', class: numeric[index] ? 'number' : undefined }, name));
  const shown = h('div', { class: 'shown' });
  const space = h('div', { class: 'space' }, shown);
  space.style.height = `${height}px`;
  const view = h(
    'div',
    { class: 'grid', role: 'table', tabindex: 0, 'aria-label': 'Result', 'aria-rowcount': data.rowCount + 1 },
    head,
    space,
  );
  let firstShown = -1;
  const draw = (): void => {
    const seen = Math.ceil(view.clientHeight / ROW_PX) + 1;
    const share = height > view.clientHeight ? view.scrollTop / Math.max(1, height + ROW_PX - view.clientHeight) : 0;
    const top = total > height ? Math.min(1, share) * Math.max(0, data.rowCount - seen + 2) : view.scrollTop / ROW_PX;
    const first = Math.max(0, Math.floor(top) - MARGIN_ROWS);
    const last = Math.min(data.rowCount, Math.floor(top) + seen + MARGIN_ROWS);
    if (first === firstShown && shown.childElementCount === last - first) return;
    firstShown = first;
    const offset = total > height ? view.scrollTop - (Math.floor(top) - first) * ROW_PX : first * ROW_PX;
    shown.style.transform = `translateY(${Math.max(0, offset)}px)`;
    fill(shown, ...Array.from({ length: Math.max(0, last - first) }, (_, index) => cells(first + index)));
  };
  view.addEventListener('scroll', () => requestAnimationFrame(draw), { passive: true });
  new ResizeObserver(() => {
    firstShown = -1;
    draw();
  }).observe(view);
  return view;
}

function columnWidth(name: string, values: readonly string[]): number {
  let width = name.length;
  const step = Math.max(1, Math.floor(values.length / 500));
  for (let row = 0; row < values.length; row += step) width = Math.max(width, values[row]?.length ?? 0);
  return Math.min(WIDTH_CH_MAX, width) + 3;
}
