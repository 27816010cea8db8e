// `npm run build`: compiles src to dist and writes the revision beside it.
import { buildDist } from './setup.mjs';

buildDist(true);
