// `npm run build`: compiles src to dist, bundles it and writes the revision beside it.
import { buildDist } from './setup.mjs';

await buildDist(true);
