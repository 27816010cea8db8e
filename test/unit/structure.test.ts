import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');
const linesMax = 400;

/** Import arrows between the folders of src; `app` may know everything but the ways in, which know it. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  cli: ['backup', 'bucket', 'config', 'app', 'node-data', 'telemetry', 'shared'],
  embed: ['config', 'app', 'auth', 'shared'],
  bucket: ['config', 'storage', 'shared'],
  config: ['shared'],
  server: ['admin', 'auth', 'catalog', 'processing', 'query', 'telemetry', 'write', 'shared'],
  backup: ['catalog', 'storage', 'write', 'shared'],
  'node-data': ['catalog', 'storage', 'write', 'shared'],
  explorer: ['shared'],
  admin: ['caches', 'catalog', 'processing', 'query', 'write', 'shared'],
  auth: ['catalog', 'shared'],
  processing: ['catalog', 'query', 'write', 'scheduling', 'shared'],
  caches: ['catalog', 'query', 'write', 'shared'],
  query: ['catalog', 'duckdb', 'scheduling', 'storage', 'telemetry', 'write', 'shared'],
  write: ['catalog', 'duckdb', 'scheduling', 'storage', 'shared'],
  catalog: ['storage', 'shared'],
  scheduling: ['shared'],
  duckdb: ['shared'],
  telemetry: ['shared'],
  storage: ['shared'],
  shared: [],
};

/** Import arrows between the rooms of src/server/http; the files beside them wire the rooms. */
const httpArrows: Readonly<Record<string, readonly string[]>> = {
  transport: ['metrics', 'request', 'response'],
  routes: ['metrics', 'request', 'response'],
  metrics: ['response'],
  request: ['response'],
  response: [],
};

/** Files that other folders may import: the index, and files that hold contracts. */
const doors = /(^|\/)(index|contract|types|text|result|recorder|schema|parsed-write|[a-z0-9-]+-(service|types))\.ts$/;

/** Files that `app` imports by themselves: what only a server needs of a folder whose index commands load, and what is loaded when it is first needed. */
const sideDoors = ['src/backup/routes.ts', 'src/backup/sessions.ts', 'src/telemetry/http.ts', 'src/processing/plugins/remote-plugins.ts'];

interface SourceFile {
  /** Path below the project, with slashes. */
  readonly path: string;
  readonly text: string;
}

function sourceFiles(folder: string): SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => ({ path: relative(root, file).split(sep).join('/'), text: readFileSync(file, 'utf8') }));
}

/** Project paths that a file imports, static and dynamic. */
function imports(file: SourceFile): string[] {
  const found = [...file.text.matchAll(/(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g)].map((match) => match[1] ?? '');
  return found.map((target) => join(dirname(file.path), target).split(sep).join('/'));
}

function arrowsOf(folder: string): readonly string[] {
  return folder === 'app' ? Object.keys(arrows).filter((other) => other !== 'cli' && other !== 'embed') : (arrows[folder] ?? []);
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

const files = sourceFiles('src');

describe('structure of the sources', () => {
  it('import arrows go one way', () => {
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter((target) => folderOf(target) !== folderOf(file.path))
        .filter((target) => !arrowsOf(folderOf(file.path)).includes(folderOf(target)))
        .map((target) => `${file.path} imports ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('another folder is entered through its index or a contract file', () => {
    const wrong = files.flatMap((file) =>
      imports(file)
        .filter((target) => ![folderOf(file.path), 'shared'].includes(folderOf(target)))
        .filter((target) => !doors.test(target) && !(folderOf(file.path) === 'app' && sideDoors.includes(target)))
        .map((target) => `${file.path} imports ${target}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('the table of folders in docs/architecture.md says what each imports', () => {
    const text = readFileSync(join(root, 'docs', 'architecture.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(src\/[a-z/-]+)` \|.*\| ([^|]*) \|$/gm)].map(([, path = '', told = '']) => ({ path, told }));
    assert.ok(Object.keys(arrows).every((folder) => rows.some(({ path }) => folderOf(path) === folder)));
    for (const { path, told } of rows.filter((row) => !row.told.startsWith('all'))) {
      const used = files.filter((file) => file.path.startsWith(`${path}/`)).flatMap(imports);
      const others = new Set(used.map(folderOf).filter((folder) => folder !== folderOf(path) && folder !== 'shared'));
      assert.equal(told, [...others].sort().join(', ') || 'nothing', path);
    }
  });

  it('the rooms of the HTTP server import each other in one direction', () => {
    const roomOf = (path: string): string | undefined => /^src\/server\/http\/([a-z]+)\//.exec(path)?.[1];
    const wrong = files.flatMap((file) => {
      const room = roomOf(file.path);
      if (room === undefined) return [];
      const allowed = [room, undefined, ...(httpArrows[room] ?? [])];
      return imports(file)
        .filter((target) => !allowed.includes(roomOf(target)))
        .map((target) => `${file.path} imports ${target}`);
    });
    assert.deepEqual(wrong, []);
  });

  it('no circle of imports leaves its folder', () => {
    const wide = circles(new Map(files.map((file) => [file.path, imports(file)])))
      .filter((circle) => new Set(circle.map((path) => dirname(path))).size > 1)
      .map((circle) => circle.sort().join(' '));
    assert.deepEqual(wide, []);
  });

  it(`no file is longer than ${linesMax} lines`, () => {
    const all = [...files, ...sourceFiles('test')];
    const long = all.filter(({ text }) => text.split('\n').length > linesMax + 1).map(({ path }) => path);
    assert.deepEqual(long, []);
  });

  it('nothing is left for later in a comment', () => {
    const marked = files.filter(({ text }) => /\b(TODO|FIXME|XXX|HACK)\b/.test(text)).map(({ path }) => path);
    assert.deepEqual(marked, []);
  });

  it('time and timers come from src/shared/clock.ts and src/shared/timers.ts', () => {
    const seams = ['src/shared/clock.ts', 'src/shared/timers.ts', 'src/telemetry/page/script.ts']; // the last one runs in browsers, as does src/explorer/page
    const own = files
      .filter(({ path }) => !seams.includes(path) && !path.startsWith('src/explorer/page/'))
      .flatMap(({ path, text }) => {
        const found = text.matchAll(
          /\b(?:Date|performance)\.now\b|new Date\(\)|(?<![.#\w])set(?:Timeout|Interval)\(|hrtime|from 'node:timers/g,
        );
        return [...found].map((match) => `${path}: ${match[0]}`);
      });
    assert.deepEqual(own, []);
  });

  it('signals are combined by src/shared/signals.ts, which keeps their sources', () => {
    const own = [...files, ...sourceFiles('test')]
      .filter(({ path, text }) => path !== 'src/shared/signals.ts' && text.includes(`AbortSignal.${'any'}`))
      .map(({ path }) => path);
    assert.deepEqual(own, []);
  });

  it('unit tests that measure the peak of their process, or change its directory, run alone', () => {
    const shared = sourceFiles('test/unit')
      .filter(({ path, text }) => path.endsWith('.test.ts') && /\b(?:resourceUsage|VmHWM|chdir)\b/.test(text.replace(/\/.*\//g, '')))
      .filter(({ text }) => !text.startsWith('// Runs alone: '))
      .map(({ path }) => path);
    assert.deepEqual(shared, []);
  });

  it('promises of functions that Node.js brings are not left alone: the linter sees all others', () => {
    const left = [...files, ...sourceFiles('test')].flatMap(({ path, text }) => {
      const names = [...text.matchAll(/^import \{([^}]*)\} from 'node:[a-z]+\/promises';/gm)].flatMap((match) =>
        (match[1] ?? '').split(','),
      );
      const called = names.map((name) => name.trim().split(' ').at(-1)).filter((name) => name !== '');
      if (called.length === 0) return [];
      const alone = new RegExp(`^ *(${called.join('|')})\\(.*\\);$`, 'gm');
      return [...text.matchAll(alone)].map((match) => `${path}: ${match[0].trim()}`);
    });
    assert.deepEqual(left, []);
  });

  it('exported functions and classes say what they do', () => {
    const silent = files.flatMap(({ path, text }) =>
      [...`\n${text}`.matchAll(/(?<before>.*)\n(?<export>export (?:async |abstract )*(?:function\*?|class) (?<name>\w+))/g)]
        .filter(({ groups }) => groups?.['before']?.trimEnd().endsWith('*/') !== true)
        .map(({ groups }) => `${path}: ${groups?.['name']}`),
    );
    assert.deepEqual(silent, []);
  });

  it('exports have names', () => {
    assert.deepEqual(
      files.filter(({ text }) => /^export default /m.test(text)).map(({ path }) => path),
      [],
    );
  });
});

/** Groups of files that import each other in a ring (Tarjan's strongly connected components with more than one file). */
function circles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const path: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const index = order.size;
    order.set(file, index);
    let lowest = index;
    path.push(file);
    for (const target of graph.get(file) ?? []) {
      if (!graph.has(target)) continue;
      if (!order.has(target)) lowest = Math.min(lowest, visit(target));
      else if (path.includes(target)) lowest = Math.min(lowest, order.get(target) as number);
    }
    if (lowest === index) {
      const circle = path.splice(path.indexOf(file));
      if (circle.length > 1) found.push(circle);
    }
    return lowest;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return found;
}
