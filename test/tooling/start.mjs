// `npm start [-- options]`: set-up, then the server in this very process, so that signals reach it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root, setUp } from './setup.mjs';

setUp();
process.argv.splice(2, 0, 'serve');
await (await import(pathToFileURL(join(root, 'dist', 'cli', 'main.js')).href)).main();
