import 'uplot/dist/uPlot.min.css';
import './style.css';
import { Api } from './api.ts';
import { button, fill, h } from './dom.ts';
import { askToken } from './login.ts';
import { showOtherPage } from './other-page.ts';
import { QueryView } from './query-view.ts';
import { databaseNames, SchemaTree } from './schema.ts';
import { serverView } from './server-view.ts';
import { writeView } from './write-view.ts';

const VIEWS = ['Query', 'Write', 'Server'] as const;
type View = (typeof VIEWS)[number];

const DATABASE_KEY = 'influxdb3-database';

/** Builds the page and reads the schema. */
async function start(api: Api): Promise<void> {
  const main = h('main', { id: 'main', tabindex: -1 });
  const query = new QueryView(api, (db) => {
    localStorage.setItem(DATABASE_KEY, db);
    void refresh();
  });
  const tree = new SchemaTree(api, {
    insert: (text) => {
      show('Query');
      query.insert(text);
    },
    opened: (db, tables) => {
      if (db === query.database) query.setSchema(tables);
    },
  });
  const refresh = async (): Promise<void> => {
    const names = await databaseNames(api);
    query.setDatabases(names, query.database || (localStorage.getItem(DATABASE_KEY) ?? ''));
    tree.show(names, query.database);
    write.setDatabase(query.database);
  };
  const write = writeView(api, () => void refresh());
  const server = serverView(api);
  const tabs = new Map(
    VIEWS.map((view, index) => [view, button(view, () => show(view), { role: 'tab', title: `Alt+${index + 1}` })] as const),
  );
  const show = (view: View): void => {
    for (const [name, tab] of tabs) tab.setAttribute('aria-selected', String(name === view));
    fill(main, { Query: query.element, Write: write.element, Server: server.element }[view]);
    if (view === 'Server') void server.refresh();
    if (view === 'Query') query.focus();
  };
  const aside = h(
    'aside',
    { id: 'schema' },
    h(
      'div',
      { class: 'bar' },
      h('h2', {}, 'Schema'),
      button('Refresh', () => void refresh(), { title: 'Alt+R' }),
    ),
    tree.element,
  );
  const toggle = button('Schema', () => document.body.classList.toggle('schema-open'), { class: 'narrow-only', 'aria-controls': 'schema' });
  const logout = button('Forget token', () => {
    api.forgetToken();
    location.reload();
  });
  const header = h(
    'header',
    {},
    toggle,
    h('h1', {}, 'InfluxDB 3'),
    h('div', { role: 'tablist', class: 'tabs' }, ...tabs.values()),
    h('span', { class: 'gap' }),
    logout,
  );
  document.body.append(h('a', { class: 'skip', href: '#main' }, 'Skip to the content'), header, aside, main);
  document.addEventListener('keydown', (event) => {
    if (!event.altKey || event.ctrlKey || event.metaKey) return;
    const view = VIEWS[Number(event.key) - 1];
    if (view !== undefined) show(view);
    else if (event.key.toLowerCase() === 'r') void refresh();
    else return;
    event.preventDefault();
  });
  show('Query');
  try {
    await refresh();
  } catch (error) {
    fill(tree.element, h('p', { class: 'problem', role: 'alert' }, (error as Error).message));
  }
  logout.hidden = !api.hasToken;
}

const api = new Api(askToken);
void (location.pathname === '/' ? start(api) : showOtherPage(api, location.pathname + location.search));
