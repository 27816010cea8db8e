// `npm start [-- options]`: set-up, then the server in this very process, so that signals reach it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

await setUp();
process.argv.splice(2, 0, 'serve');
await (await import(pathToFileURL(join(root, 'dist', 'bundle', 'main.js')).href)).main();
