import type { Api } from './api.ts';
import { fill, h } from './dom.ts';

/** A column of a table, and what kind of value it has. */
export interface Column {
  readonly name: string;
  readonly kind: string;
}

export type Tables = ReadonlyMap<string, readonly Column[]>;

/** Names of the databases of the server. */
export async function databaseNames(api: Api): Promise<string[]> {
  const rows = await api.json<Record<string, string>[]>('/api/v3/configure/database?format=json&show_deleted=false');
  return rows.map((row) => row['iox::database'] ?? '').filter((name) => name !== '');
}

/** Tables of a database with their columns. */
export async function tablesOf(api: Api, db: string): Promise<Tables> {
  const schema = db === '_internal' ? 'system' : 'iox';
  const rows = await api.rows(
    db,
    `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = '${schema}' ORDER BY table_name, column_name`,
  );
  const tables = new Map<string, Column[]>();
  for (const row of rows) {
    const name = String(row['table_name']);
    const column = { name: String(row['column_name']), kind: kindOf(String(row['data_type'])) };
    tables.set(name, [...(tables.get(name) ?? []), column]);
  }
  return tables;
}

function kindOf(type: string): string {
  if (type.startsWith('Dictionary')) return 'tag';
  if (type.startsWith('Timestamp')) return 'time';
  return type.toLowerCase();
}

export interface TreeActions {
  /** A name was chosen: it goes into the editor. */
  insert(text: string): void;
  /** A database was opened. */
  opened(db: string, tables: Tables): void;
}

/** The tree of databases, tables, columns, caches and triggers; a database is read when it is opened. */
export class SchemaTree {
  readonly element = h('nav', { class: 'tree', 'aria-label': 'Schema' });
  readonly #api: Api;
  readonly #actions: TreeActions;

  constructor(api: Api, actions: TreeActions) {
    this.#api = api;
    this.#actions = actions;
  }

  show(names: readonly string[], current: string): void {
    if (names.length === 0) {
      fill(
        this.element,
        h('p', { class: 'empty' }, 'No database that could be shown: the first write makes one, and a token shows those that it may read.'),
      );
      return;
    }
    fill(this.element, ...names.map((name) => this.#database(name, name === current)));
  }

  #database(name: string, isOpen: boolean): HTMLElement {
    const body = h('div', { class: 'branch' });
    const details = h('details', { class: 'database' }, h('summary', {}, name), body);
    let loaded = false;
    details.addEventListener('toggle', () => {
      if (!details.open || loaded) return;
      loaded = true;
      fill(body, h('span', { class: 'note' }, 'reading …'));
      this.#load(name, body).catch((error: unknown) => {
        loaded = false;
        fill(body, h('span', { class: 'problem' }, (error as Error).message));
      });
    });
    details.open = isOpen;
    return details;
  }

  async #load(db: string, body: HTMLElement): Promise<void> {
    const tables = await tablesOf(this.#api, db);
    this.#actions.opened(db, tables);
    const parts = [...tables].map(([name, columns]) => this.#table(name, columns));
    const extras = db === '_internal' ? [] : await this.#extras(db);
    fill(body, ...(parts.length === 0 ? [h('span', { class: 'note' }, 'no tables')] : parts), ...extras);
  }

  #table(name: string, columns: readonly Column[]): HTMLElement {
    const rows = columns.map(({ kind, name: column }) => h('li', {}, this.#name(column), h('span', { class: 'kind' }, kind)));
    return h('details', { class: 'table' }, h('summary', {}, name, this.#name(name, '+')), h('ul', {}, ...rows));
  }

  #name(name: string, label = name): HTMLButtonElement {
    const click = (event: Event): void => {
      event.preventDefault();
      this.#actions.insert(/^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`);
    };
    return h('button', { type: 'button', class: 'name', title: `Put ${name} into the editor`, onclick: click }, label);
  }

  /** Caches and triggers, as far as there are any. */
  async #extras(db: string): Promise<HTMLElement[]> {
    const read = (sql: string): Promise<Record<string, unknown>[]> => this.#api.rows(db, sql).catch(() => []);
    const [last, distinct, triggers] = await Promise.all([
      read('SELECT "table", name FROM system.last_caches'),
      read('SELECT "table", name FROM system.distinct_caches'),
      read('SELECT trigger_name AS name, disabled FROM system.processing_engine_triggers'),
    ]);
    const list = (
      title: string,
      rows: readonly Record<string, unknown>[],
      note: (row: Record<string, unknown>) => string,
    ): HTMLElement[] =>
      rows.length === 0
        ? []
        : [
            h(
              'details',
              { class: 'table' },
              h('summary', {}, `${title} (${rows.length})`),
              h('ul', {}, ...rows.map((row) => h('li', {}, String(row['name']), h('span', { class: 'kind' }, note(row))))),
            ),
          ];
    return [
      ...list('last-value caches', last, (row) => String(row['table'])),
      ...list('distinct-value caches', distinct, (row) => String(row['table'])),
      ...list('triggers', triggers, (row) => (row['disabled'] === true ? 'off' : 'on')),
    ];
  }
}
