import { type Api, ApiFailure, type Format, type Language } from './api.ts';
import { chart } from './chart.ts';
import { button, fill, h, labelled, select } from './dom.ts';
import { Editor } from './editor.ts';
import { grid } from './grid.ts';
import { pastQueries, rememberQuery } from './query-history.ts';
import type { Tables } from './schema.ts';
import { ROWS_MAX, TableData } from './table-data.ts';

type Shape = 'table' | 'chart' | 'json';

/** Characters of JSON that are shown; a download has all. */
const JSON_SHOWN_MAX = 2_000_000;

const FILE_ENDINGS: Readonly<Record<Format, string>> = { csv: 'csv', json: 'json', json_lines: 'jsonl', parquet: 'parquet' };

/** The editor with what it runs, and the result as table, chart or JSON. */
export class QueryView {
  readonly element: HTMLElement;
  readonly #api: Api;
  readonly #editor: Editor;
  readonly #database: HTMLSelectElement;
  readonly #language: HTMLSelectElement;
  readonly #shape: HTMLSelectElement;
  readonly #history: HTMLSelectElement;
  readonly #run: HTMLButtonElement;
  readonly #status = h('p', { class: 'status', role: 'status' });
  readonly #result = h('div', { class: 'result' });
  #running: AbortController | undefined;
  #data: TableData | undefined;
  #endChart: () => void = () => undefined;

  constructor(api: Api, onDatabase: (db: string) => void) {
    this.#api = api;
    this.#database = select([], { 'aria-label': 'Database', onchange: () => onDatabase(this.#database.value) });
    this.#language = select(
      [
        ['sql', 'SQL'],
        ['influxql', 'InfluxQL'],
      ],
      { 'aria-label': 'Language', onchange: () => this.#editor.setLanguage(this.#language.value as Language) },
    );
    this.#shape = select(
      [
        ['table', 'Table'],
        ['chart', 'Chart'],
        ['json', 'JSON'],
      ],
      { 'aria-label': 'Show as', onchange: () => void this.#show() },
    );
    this.#history = select([['', 'History']], {
      'aria-label': 'History',
      title: 'Statements that ran in this browser',
      onchange: () => this.#recall(),
    });
    this.#run = button('Run', () => this.run(), { class: 'main', title: 'Ctrl+Enter' });
    const download = select(
      [
        ['', 'Download'],
        ['csv', 'CSV'],
        ['json_lines', 'JSON lines'],
        ['parquet', 'Parquet'],
      ],
      {
        'aria-label': 'Download',
        onchange: () => {
          const format = download.value as Format | '';
          download.value = '';
          if (format !== '') void this.#guarded(() => this.#download(format));
        },
      },
    );
    const editor = h('div', { class: 'editor' });
    this.element = h(
      'section',
      { class: 'query', 'aria-label': 'Query' },
      h(
        'div',
        { class: 'bar' },
        labelled('Database', this.#database),
        this.#language,
        this.#run,
        button('Explain', () => this.explain(), { title: 'Ctrl+Shift+E' }),
        this.#history,
        h('span', { class: 'gap' }),
        this.#shape,
        download,
      ),
      editor,
      this.#status,
      this.#result,
    );
    this.#editor = new Editor(editor, 'SELECT * FROM ', { run: () => this.run(), explain: () => this.explain() });
    this.#fillHistory();
  }

  get database(): string {
    return this.#database.value;
  }

  setDatabases(names: readonly string[], current: string): void {
    fill(this.#database, ...names.map((name) => h('option', { value: name }, name)));
    this.#database.value = names.includes(current) ? current : (names.find((name) => name !== '_internal') ?? names[0] ?? '');
  }

  setSchema(tables: Tables): void {
    this.#editor.setSchema(tables);
  }

  insert(text: string): void {
    this.#editor.insert(text);
  }

  focus(): void {
    this.#editor.focus();
  }

  /** Runs the statement; while one runs, ends it. */
  run(): void {
    if (this.#running !== undefined) {
      this.#running.abort();
      return;
    }
    void this.#guarded(() => this.#query(this.#editor.text));
  }

  explain(): void {
    const text = this.#editor.text.trim().replace(/^explain\s+(analyze\s+)?/i, '');
    void this.#guarded(() => this.#query(`EXPLAIN ${text}`));
  }

  async #query(q: string): Promise<void> {
    if (q.trim() === '') return;
    const started = performance.now();
    const running = new AbortController();
    this.#running = running;
    fill(this.#run, 'Stop');
    this.#editor.showError(undefined);
    fill(this.#status, 'running …');
    const data = new TableData();
    try {
      const language = this.#language.value as Language;
      const response = await this.#api.query({ db: this.database, q, language, format: 'csv' }, running.signal);
      await this.#read(response, data, started);
      rememberQuery({ db: this.database, language, q: this.#editor.text });
      this.#fillHistory();
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'AbortError')) throw error;
      fill(this.#status, 'stopped');
      return;
    } finally {
      this.#running = undefined;
      fill(this.#run, 'Run');
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    const cut = data.isCut ? ` (the first ${ROWS_MAX.toLocaleString('en')}; a download has all)` : '';
    fill(this.#status, `${data.rowCount.toLocaleString('en')} ${data.rowCount === 1 ? 'row' : 'rows'}${cut}, ${seconds} s`);
    this.#data = data;
    await this.#show();
  }

  async #read(response: Response, data: TableData, started: number): Promise<void> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) return;
    let shownMs = started;
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      if (!data.push(next.value)) {
        await reader.cancel();
        return;
      }
      if (performance.now() - shownMs < 250) continue;
      shownMs = performance.now();
      fill(this.#status, `${data.rowCount.toLocaleString('en')} rows so far …`);
      await new Promise((resolve) => setTimeout(resolve)); // the page stays alive
    }
    data.end();
  }

  async #show(): Promise<void> {
    this.#endChart();
    this.#endChart = () => undefined;
    const data = this.#data;
    if (data === undefined) return;
    switch (this.#shape.value as Shape) {
      case 'table':
        fill(this.#result, data.names.length === 0 ? h('p', { class: 'empty' }, 'No rows.') : grid(data));
        return;
      case 'chart': {
        const { destroy, element } = chart(data);
        this.#endChart = destroy;
        fill(this.#result, element);
        return;
      }
      case 'json': {
        const { language, text } = this.#asked();
        await this.#guarded(async () => {
          const json = await (await this.#api.query({ db: this.database, q: text, language, format: 'json' })).text();
          const cut = json.length > JSON_SHOWN_MAX ? `${json.slice(0, JSON_SHOWN_MAX)}…` : json;
          fill(this.#result, h('pre', { class: 'json', tabindex: 0 }, pretty(cut)));
        });
      }
    }
  }

  #asked(): { language: Language; text: string } {
    return { language: this.#language.value as Language, text: this.#editor.text };
  }

  async #download(format: Format): Promise<void> {
    const { language, text } = this.#asked();
    fill(this.#status, 'downloading …');
    const blob = await (await this.#api.query({ db: this.database, q: text, language, format })).blob();
    const url = URL.createObjectURL(blob);
    const link = h('a', { href: url, download: `${this.database}-result.${FILE_ENDINGS[format]}` });
    link.click();
    URL.revokeObjectURL(url);
    fill(this.#status, `${blob.size.toLocaleString('en')} bytes downloaded`);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const message = (error as Error).message;
      if (error instanceof ApiFailure) this.#editor.showError(error);
      fill(this.#status, h('span', { class: 'problem', role: 'alert' }, message));
    }
  }

  #fillHistory(): void {
    const options = pastQueries().map(({ db, q }, index) => h('option', { value: index }, `${db}: ${q.replace(/\s+/g, ' ').slice(0, 80)}`));
    fill(this.#history, h('option', { value: '' }, 'History'), ...options);
    this.#history.disabled = options.length === 0;
  }

  #recall(): void {
    const past = this.#history.value === '' ? undefined : pastQueries()[Number(this.#history.value)];
    this.#history.value = '';
    if (past === undefined) return;
    this.#editor.text = past.q;
    this.#language.value = past.language;
    this.#editor.setLanguage(past.language);
    if (past.db !== this.#database.value && [...this.#database.options].some(({ value }) => value === past.db)) {
      this.#database.value = past.db;
      this.#database.dispatchEvent(new Event('change')); // the names that the editor completes are those of the database
    }
    this.#editor.focus();
  }
}

/** One row a line, so that a person can read it; a cut text stays as it is. */
function pretty(json: string): string {
  return json.replaceAll('},{', '},\n {');
}
