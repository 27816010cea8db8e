// What goes into the package beside the bundle: the types that its users see, and the licenses of what is bundled.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Types that `exports` of package.json name. */
const TYPE_ENTRIES = ['embed/index.d.ts', 'processing/javascript/plugin.d.ts'];

/** Copies the entries and every declaration that they import, and no other one, to `dist/types`. Answers with their number. */
export function collectTypes(dist) {
  const types = join(dist, 'types');
  rmSync(types, { recursive: true, force: true });
  const waiting = TYPE_ENTRIES.map((entry) => join(dist, entry));
  const seen = new Set(waiting);
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const target = join(types, relative(dist, file));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(file, target);
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g)) {
      const next = resolve(dirname(file), name.replace(/\.(?:ts|js)$/, '.d.ts'));
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(next);
    }
  }
  return seen.size;
}

/** Writes the licenses of all packages that the bundler read something of. `inputs` = paths that it read, from the project folder. */
export function writeLicenses(root, inputs, file) {
  const names = new Set(
    inputs.map((path) => /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter((name) => name !== undefined),
  );
  const texts = [...names].sort().map((name) => {
    const folder = join(root, 'node_modules', name);
    const { license, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const licenseFile = existsSync(folder) ? readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry)) : undefined;
    const text = licenseFile === undefined ? '' : readFileSync(join(folder, licenseFile), 'utf8').trim();
    return `${name} ${version}: ${license}\n\n${text}\n`;
  });
  writeFileSync(file, `Parts of these packages are in the files of this folder.\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`);
}
