// `npm run docs`: writes the files that are generated from the options table.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

await setUp();
const load = (name) => import(pathToFileURL(join(root, 'dist', 'config', 'generate', name)).href);
writeFileSync(join(root, '.env.example'), (await load('env-example.js')).envExample());
writeFileSync(join(root, 'docs', 'configuration.md'), (await load('configuration-doc.js')).configurationDoc());
