import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { testDirectory } from '../support/server.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..');

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly scripts: Readonly<Record<string, string>>;
}

describe('project scripts', () => {
  const manifest = JSON.parse(read('package.json')) as PackageJson;

  it('the check of a change ends with exactly npm test', () => {
    assert.ok((statSync(join(root, '.ci', 'run')).mode & 0o111) !== 0);
    assert.equal(read('.ci/run').trimEnd().split('\n').pop(), 'npm test');
  });

  it('every script of package.json that names a file has it', () => {
    for (const [name, command] of Object.entries(manifest.scripts)) {
      const file = /^(?:exec )?node (\S+\.mjs)(?: \w+)?$/.exec(command)?.[1];
      if (file !== undefined) assert.ok(statSync(join(root, file)).isFile(), name);
    }
  });

  it('set-up scripts need nothing but Node', () => {
    for (const file of ['setup', 'start', 'build', 'run-tests', 'docs', 'bench', 'dev', 'coverage', 'history']) {
      for (const [, target = ''] of read(`test/tooling/${file}.mjs`).matchAll(/^import .* from '([^']+)'/gm)) {
        assert.match(target, /^(node:|\.\/)/, file);
      }
    }
  });

  it('dependencies have exact versions, and a line that says why they are here', () => {
    const doc = read('docs/dependencies.md');
    for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
      assert.match(version, /^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/, name);
      assert.ok(doc.includes(`\`${name}\``) || name.startsWith('@types/'), name);
    }
  });
});

describe('the package', () => {
  const npm = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' });
  const [{ files = [] } = {}] = JSON.parse(npm.stdout) as { files?: { path: string }[] }[];
  const paths = files.map(({ path }) => path);

  it('has the program, the page, the types of its users and the licenses of what is bundled, and no source maps', () => {
    for (const path of [
      'bin/influxdb3.js',
      'dist/bundle/main.js',
      'dist/bundle/explorer/app.js',
      'dist/bundle/plugin_host.py',
      'dist/bundle/LICENSES.txt',
      'README.md',
      'LICENSE',
    ])
      assert.ok(paths.includes(path), path);
    assert.deepEqual(
      paths.filter((path) => /\.map$|\.test\.|^src\//.test(path)),
      [],
    );
    assert.ok(paths.filter((path) => path.endsWith('.d.ts')).length < 30);
    assert.match(read('dist/bundle/LICENSES.txt'), /^fastify \d.*: MIT$/m);
  });

  it('has every declaration that its types import', () => {
    for (const path of paths.filter((name) => name.endsWith('.d.ts'))) {
      for (const [, target = ''] of read(path).matchAll(/from '(\.[^']+)'/g)) {
        const file = join(dirname(path), target.replace(/\.ts$/, '.d.ts'));
        assert.ok(paths.includes(file), `${path} imports ${target}`);
      }
    }
  });

  it('brings the packages that are not bundled, and no others', () => {
    const manifest = JSON.parse(read('package.json')) as PackageJson;
    const loaded = new Set<string>();
    for (const path of paths.filter((name) => /^dist\/bundle\/[^/]+\.js$/.test(name))) {
      for (const [, name = ''] of read(path).matchAll(
        /(?:^(?:import|export)\b.*? from|^\} from|[^.\w]import\(|import\.meta\.resolve\(|^import) ?"([^."/][^"]*)"/gm,
      )) {
        const [first = '', second = ''] = name.split('/');
        if (!name.startsWith('node:') && !isBuiltin(name)) loaded.add(first.startsWith('@') ? `${first}/${second}` : first);
      }
    }
    for (const name of loaded) assert.ok(manifest.dependencies[name] !== undefined || OPTIONAL.includes(name), name);
    for (const name of Object.keys(manifest.dependencies)) assert.ok(loaded.has(name) || name === '@duckdb/node-bindings', name);
  });
});

/** Loaded where they are installed, or never: schema compilers of fastify, and colours of pino. */
const OPTIONAL = ['@fastify/ajv-compiler', '@fastify/fast-json-stringify-compiler', 'pino-pretty'];

describe('package-lock.json', () => {
  interface LockedPackage {
    readonly version?: string;
    readonly optionalDependencies?: Readonly<Record<string, string>>;
  }
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, LockedPackage>> };

  it('has the packages of every platform, or npm ci refuses it (`npm install` on one platform may drop the others)', () => {
    const missing = Object.values(packages)
      .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
      .filter((name) => packages[`node_modules/${name}`] === undefined);
    assert.deepEqual(missing, []);
  });
});

describe('bin/influxdb3.js', () => {
  it('says what to do when the project is not built', async (t) => {
    const folder = await testDirectory(t);
    mkdirSync(join(folder, 'bin'));
    for (const file of ['influxdb3.js', 'package.json']) copyFileSync(join(root, 'bin', file), join(folder, 'bin', file));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    const { status, stderr } = spawnSync(process.execPath, [join(folder, 'bin', 'influxdb3.js'), '--version'], { encoding: 'utf8' });
    assert.equal(status, 1);
    assert.match(stderr, /^influxdb3 is not built yet: run `npm run build` in the project folder first/);
  });
});
