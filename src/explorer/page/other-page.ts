import { type Api, ApiFailure } from './api.ts';
import { fill, h } from './dom.ts';

/** Answers that are shown as text. */
const TEXT = /^(text\/|application\/([a-z.-]+\+)?(json|jsonl|csv)\b)/;

/**
 * Shows what is at an address of the server that a browser opened without a token: asks for one, then fetches the address
 * with it. The telemetry page is shown as it is, every other answer as text or as a file to save.
 */
export async function showOtherPage(api: Api, path: string): Promise<void> {
  const main = h('main', { id: 'main', class: 'other', tabindex: -1 });
  const header = h('header', {}, h('h1', {}, path), h('span', { class: 'gap' }), h('a', { href: '/' }, 'Explorer'));
  document.body.append(header, main);
  document.title = path;
  let answer: Response;
  try {
    answer = await api.send(path);
  } catch (error) {
    const status = error instanceof ApiFailure && error.status !== 0 ? `${error.status}: ` : '';
    fill(main, h('p', { class: 'problem', role: 'alert' }, `${status}${(error as Error).message}`));
    return;
  }
  const type = answer.headers.get('content-type') ?? 'text/plain';
  if (type.startsWith('text/html') && path.split('?')[0] === '/telemetry') {
    become(await answer.text());
    return;
  }
  if (TEXT.test(type)) {
    fill(main, h('pre', { class: 'json', tabindex: 0 }, await answer.text()));
    return;
  }
  const url = URL.createObjectURL(await answer.blob());
  fill(main, h('p', {}, h('a', { href: url, download: path.split(/[/?]/).at(-2) ?? 'answer' }, 'Save the answer'), ` (${type})`));
}

/** Replaces this document with another page of the server; scripts run only when they are made here. */
function become(html: string): void {
  const page = new DOMParser().parseFromString(html, 'text/html');
  const scripts = [...page.querySelectorAll('script')].map(({ src, type }) => h('script', { src: new URL(src).pathname, type }));
  for (const script of page.querySelectorAll('script')) script.remove();
  document.head.replaceChildren(...page.head.childNodes);
  document.body.replaceChildren(...page.body.childNodes);
  document.head.append(...scripts);
}
