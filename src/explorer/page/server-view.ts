import { type Api, ApiFailure } from './api.ts';
import { button, fill, h, labelled } from './dom.ts';

/** Health, version, tokens and the other pages of the server. */
export function serverView(api: Api): { readonly element: HTMLElement; refresh(): Promise<void> } {
  const health = h('p', { role: 'status' });
  const tokens = h('div');
  const links: readonly (readonly [string, string])[] = [
    ['/telemetry', 'Usage telemetry: what is counted and sent, or not'],
    ['/metrics', 'Metrics for Prometheus'],
    ['/health', 'Health check'],
  ];
  const element = h(
    'section',
    { class: 'server', 'aria-label': 'Server' },
    h('h2', {}, 'Health'),
    health,
    h('h2', {}, 'Tokens'),
    tokens,
    h('h2', {}, 'More'),
    h('ul', {}, ...links.map(([href, text]) => h('li', {}, h('a', { href }, href), ` — ${text}`))),
  );
  const refresh = async (): Promise<void> => {
    try {
      const { version } = await api.json<{ version: string }>('/ping');
      fill(health, `${(await api.text('/health')).trim()} · version ${version}`);
    } catch (error) {
      fill(health, h('span', { class: 'problem' }, (error as Error).message));
    }
    await showTokens(api, tokens);
  };
  return { element, refresh };
}

async function showTokens(api: Api, into: HTMLElement): Promise<void> {
  const say = (text: string, isProblem = false): HTMLElement => h('p', { class: isProblem ? 'problem' : 'note', role: 'status' }, text);
  let rows: Record<string, unknown>[];
  try {
    rows = await api.rows('_internal', 'SELECT * FROM system.tokens');
  } catch (error) {
    const denied = error instanceof ApiFailure && error.status === 403;
    fill(
      into,
      denied ? say('Tokens are shown to admin tokens, and to those that may read _internal.') : say((error as Error).message, true),
    );
    return;
  }
  const permissions = h('input', {
    type: 'text',
    'aria-label': 'Permissions of the new token',
    spellcheck: 'false',
    placeholder: 'db:home:read,write',
    title: 'For example db:home,garden:read or db:*:read,write; several with blanks between them. Empty = an admin token',
  });
  const name = h('input', { type: 'text', 'aria-label': 'Name of the new token', required: true, spellcheck: 'false' });
  const outcome = h('div');
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      const closed = error instanceof ApiFailure && error.status === 405;
      fill(outcome, say(closed ? 'The server runs without authentication: it has no tokens.' : (error as Error).message, true));
    }
  };
  const create = (event: Event): void => {
    event.preventDefault();
    void guarded(async () => {
      const granted = permissions.value.split(/[\s;]+/).filter((text) => text !== '');
      const request = { token_name: name.value.trim(), ...(granted.length === 0 ? {} : { permissions: granted.map(permissionOf) }) };
      const path = granted.length === 0 ? '/api/v3/configure/token/named_admin' : '/api/v3/enterprise/configure/token';
      const headers = { 'content-type': 'application/json' };
      const made = await api.json<{ token: string }>(path, { method: 'POST', body: JSON.stringify(request), headers });
      await showTokens(api, into);
      into.append(h('p', { class: 'made', role: 'status' }, 'Copy it now, it is not shown again: ', h('code', {}, made.token)));
    });
  };
  const remove = (token: string): void =>
    void guarded(async () => {
      if (!confirm(`Delete the token ${token}? Who uses it is shut out at once.`)) return;
      await api.send(`/api/v3/configure/token?${new URLSearchParams({ token_name: token })}`, { method: 'DELETE' });
      await showTokens(api, into);
    });
  const line = (row: Record<string, unknown>): HTMLElement => {
    const token = String(row['name']);
    const expiry = row['expiry'] === undefined || row['expiry'] === null ? 'does not expire' : `until ${String(row['expiry'])}`;
    const may = row['permissions'] === '*:*:*' ? 'may do everything' : String(row['permissions']);
    return h(
      'li',
      {},
      h('strong', {}, token),
      ' ',
      h('span', { class: 'kind' }, may),
      ` ${expiry} `,
      token === '_admin' ? undefined : button('Delete', () => remove(token)),
    );
  };
  fill(
    into,
    rows.length === 0 ? say('No tokens.') : h('ul', {}, ...rows.map(line)),
    h(
      'form',
      { class: 'bar', onsubmit: create },
      labelled('New token', name),
      labelled('Permissions', permissions),
      h('button', { type: 'submit' }, 'Create'),
    ),
    outcome,
  );
}

/** `db:home,garden:read,write` as the server takes it, which says what is wrong with it. */
function permissionOf(text: string): unknown {
  const [type = '', names = '', actions = ''] = text.split(':');
  return { resource_type: type, resource_names: names.split(','), actions: actions.split(',') };
}
