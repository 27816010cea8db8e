import { fill, h } from './dom.ts';

/** Asks for a token until one is given. The dialog cannot be left without: the server answers nobody else. */
export function askToken(wasRefused: boolean): Promise<string> {
  return new Promise((resolve) => {
    const input = h('input', {
      type: 'password',
      name: 'token',
      autocomplete: 'off',
      required: true,
      'aria-label': 'Token',
      placeholder: 'apiv3_…',
    });
    const problem = h('p', { class: 'problem', role: 'alert' }, wasRefused ? 'The server did not accept this token.' : '');
    const dialog = h(
      'dialog',
      { class: 'login', 'aria-labelledby': 'login-title' },
      h(
        'form',
        { method: 'dialog', onsubmit: (event) => take(event) },
        h('h2', { id: 'login-title' }, 'This server asks for a token'),
        h('p', {}, 'It is kept by this tab alone and forgotten when the tab is closed.'),
        problem,
        input,
        h('button', { type: 'submit', class: 'main' }, 'Log in'),
        h(
          'details',
          {},
          h('summary', {}, 'No token yet?'),
          h('p', {}, 'The first one is made on the machine of the server: ', h('code', {}, 'influxdb3 create token --admin')),
        ),
      ),
    );
    const take = (event: Event): void => {
      event.preventDefault();
      const token = input.value.trim();
      if (!/^[\x21-\x7e]+$/.test(token)) {
        fill(problem, 'A token is one word without blanks.');
        return;
      }
      dialog.close();
      dialog.remove();
      resolve(token);
    };
    dialog.addEventListener('cancel', (event) => event.preventDefault());
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
