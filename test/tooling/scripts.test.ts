import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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
