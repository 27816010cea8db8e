import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

interface TextFile {
  /** Path below the project, with slashes. */
  readonly path: string;
  readonly text: string;
}

function textFiles(folder: string, ending: string): TextFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(root, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));
}

const documents = [
  ...textFiles('docs', '.md'),
  ...['README.md', 'CHANGELOG.md'].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') })),
];

/** Anchors of a document's headings, as GitHub makes them. */
function anchorsOf({ text }: TextFile): Set<string> {
  const headings = [...text.matchAll(/^#+ +(.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

function documentNamed(name: string): TextFile | undefined {
  return documents.find(({ path }) => path === name || path === `docs/${name}`);
}

describe('references', () => {
  it('documents that sources and tests name are in the repository', () => {
    const wrong = [...textFiles('src', '.ts'), ...textFiles('test', '.ts')]
      .filter(({ path }) => path !== 'test/unit/references.test.ts')
      .flatMap(({ path, text }) =>
        [...text.matchAll(/^\s*(?:\*|\/\/|\/\*\*).*?\b((?:docs\/)?[a-zA-Z0-9-]+\.md)\b/gm)]
          .map((match) => match[1] ?? '')
          .filter((name) => documentNamed(name) === undefined)
          .map((name) => `${path} names ${name}`),
      );
    assert.deepEqual(wrong, []);
  });

  it('no comment cites numbered sections of documents that are elsewhere', () => {
    const citation = /\b(?:SQL|InfluxQL|storage|telemetry|config|auth|cli|flight|system tables) spec\b|`spec`|\bspec \d/i;
    const wrong = [...textFiles('src', '.ts'), ...textFiles('test', '.ts')]
      .filter(({ path }) => path !== 'test/unit/references.test.ts')
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .filter((line) => /^\s*(?:\*|\/\/|\/\*\*)/.test(line) && citation.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      );
    assert.deepEqual(wrong, []);
  });

  it('comments name things by their names, and no lists that are not in the project', () => {
    const riddle =
      /\b(the runtime|the framework|the reference|of this second|the platform|the spec|of that section|acceptance \d+|[Dd]esign section)\b|(?<!RFC \d+, )\bsection \d/;
    const wrong = textFiles('src', '.ts').flatMap(({ path, text }) =>
      [...text.matchAll(/\/\*\*[\s\S]*?\*\/|(?:^|\s)\/\/[^\n]*/g)]
        .map(([comment]) => comment.replace(/\s*\n\s*(\*|\/\/)?\s*/g, ' '))
        .filter((comment) => riddle.test(comment))
        .map((comment) => `${path}: ${comment}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('tests are named after behaviour, without numbers of lists', () => {
    const wrong = textFiles('test', '.ts').flatMap(({ path, text }) =>
      [...text.matchAll(/\b(?:test|it|describe)\(\s*['`]((?:\d{1,2}(?:\.\d+)?|[A-Z]-\d+)(?!,\d)[ ,:-].*)/g)]
        .map((match) => match[1] ?? '')
        .filter((name) => !/^\d+( (MiB|files|rows|queries|clients|writers|tables)|-bit)/.test(name))
        .map((name) => `${path}: ${name}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('links between documents lead to files and headings', () => {
    const wrong = documents.flatMap((document) =>
      [...document.text.matchAll(/\]\((?!https?:|mailto:)([^)\s]*)\)/g)].flatMap(([, link = '']) => {
        const [file = '', anchor] = link.split('#');
        const path = file === '' ? document.path : join(dirname(document.path), file).split(sep).join('/');
        if (!existsSync(join(root, path))) return [`${document.path} links to ${link}`];
        const target = documentNamed(path);
        if (anchor === undefined || target === undefined || anchorsOf(target).has(anchor)) return [];
        return [`${document.path} links to the missing heading ${link}`];
      }),
    );
    assert.deepEqual(wrong, []);
  });

  it('source paths that documents name exist', () => {
    const wrong = documents
      .filter(({ path }) => path !== 'CHANGELOG.md')
      .flatMap(({ path, text }) =>
        [...text.matchAll(/`((?:src|test|bin)\/[a-zA-Z0-9/._-]+)`/g)]
          .map((match) => match[1] ?? '')
          .filter((name) => !existsSync(join(root, name)))
          .map((name) => `${path} names ${name}`),
      );
    assert.deepEqual(wrong, []);
  });
});
