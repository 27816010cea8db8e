import { type Api, ApiFailure } from './api.ts';
import { button, fill, h, labelled, select } from './dom.ts';

interface LineError {
  readonly error_message: string;
  readonly line_number: number;
  readonly original_line: string;
}

const ERRORS_SHOWN_MAX = 100;

/** A box for line protocol, and what the server says about its lines. */
export function writeView(api: Api, onWritten: () => void): { readonly element: HTMLElement; setDatabase(name: string): void } {
  const database = h('input', { type: 'text', 'aria-label': 'Database', required: true, spellcheck: 'false' });
  const precision = select(
    [
      ['auto', 'guess the unit'],
      ['nanosecond', 'ns'],
      ['microsecond', 'µs'],
      ['millisecond', 'ms'],
      ['second', 's'],
    ],
    { 'aria-label': 'Unit of the times' },
  );
  const lines = h('textarea', {
    class: 'lines',
    rows: 14,
    spellcheck: 'false',
    'aria-label': 'Line protocol',
    placeholder: 'home,room=Kitchen temp=21.0,hum=35.9 1735545600',
  });
  const outcome = h('div', { class: 'outcome', role: 'status' });
  const send = async (): Promise<void> => {
    fill(outcome, 'writing …');
    const query = new URLSearchParams({ db: database.value.trim(), precision: precision.value });
    try {
      await api.send(`/api/v3/write_lp?${query}`, { method: 'POST', body: lines.value });
      fill(outcome, 'All lines are stored.');
      onWritten();
    } catch (error) {
      const errors = error instanceof ApiFailure ? lineErrors(error.body) : [];
      const shown = errors
        .slice(0, ERRORS_SHOWN_MAX)
        .map((each) =>
          h(
            'li',
            {},
            h('button', { type: 'button', class: 'name', onclick: () => mark(each) }, `line ${rowLine(each.line_number) ?? '?'}`),
            ` ${each.error_message}: `,
            h('code', {}, each.original_line),
          ),
        );
      const head = errors.length === 0 ? (error as Error).message : `${errors.length} lines are not stored; the others are.`;
      fill(outcome, h('p', { class: 'problem', role: 'alert' }, head), h('ol', {}, ...shown));
      if (errors.length > 0) onWritten();
    }
  };
  /** The server counts rows: comments and empty lines are none. */
  const rowLine = (number: number): number | undefined => {
    const rows = lines.value
      .split('\n')
      .flatMap((line, index) => (line.trim() === '' || line.trimStart().startsWith('#') ? [] : [index + 1]));
    return rows[number - 1];
  };
  const mark = ({ line_number: number }: LineError): void => {
    const line = rowLine(number) ?? 1;
    const start =
      lines.value
        .split('\n')
        .slice(0, line - 1)
        .join('\n').length + (line > 1 ? 1 : 0);
    const end = lines.value.indexOf('\n', start);
    lines.focus();
    lines.setSelectionRange(start, end === -1 ? lines.value.length : end);
  };
  lines.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void send();
  });
  const element = h(
    'section',
    { class: 'write', 'aria-label': 'Write' },
    h(
      'div',
      { class: 'bar' },
      labelled('Database', database),
      labelled('Times', precision),
      button('Write', () => void send(), { class: 'main', title: 'Ctrl+Enter' }),
    ),
    lines,
    outcome,
  );
  return {
    element,
    setDatabase(name) {
      if (database.value === '') database.value = name === '_internal' ? '' : name;
    },
  };
}

function lineErrors(body: string): readonly LineError[] {
  try {
    const { data } = JSON.parse(body) as { data?: unknown };
    return Array.isArray(data) ? (data as LineError[]).filter((each) => typeof each?.line_number === 'number') : [];
  } catch {
    return [];
  }
}
