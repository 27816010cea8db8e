import { parseArgs } from 'node:util';
import { FakeCatalog, Harness } from '../unit/write/line-protocol/fake-catalog.ts';
import { generate, SHAPE_NAMES, type ShapeName } from './line-protocol-shapes.ts';

/**
 * Rows a second of the parser alone, one core: `node line-protocol.js [--shape cpu4000] [--batch 5000] [--seconds 2]`.
 * The median of the batches counts. Goals on two shared cores: cpu4000 700 k, narrow 3 M, wide 150 k, strings 900 k.
 */
function main(): void {
  const { values } = parseArgs({
    options: { shape: { type: 'string' }, batch: { type: 'string', default: '5000' }, seconds: { type: 'string', default: '1.5' } },
  });
  const batch = Number(values.batch);
  for (const shape of SHAPE_NAMES) {
    if (values.shape !== undefined && values.shape !== shape) continue;
    console.log(JSON.stringify(measure(shape, batch, Number(values.seconds))));
  }
}

function measure(shape: ShapeName, batch: number, seconds: number): Record<string, unknown> {
  const harness = new Harness(new FakeCatalog());
  const bodies = split(generate(shape, shape === 'wide' ? 4 * batch : 8 * batch), batch);
  for (const body of bodies) harness.write(body);
  const rates: number[] = [];
  let bytes = 0;
  const end = performance.now() + seconds * 1000;
  for (let i = 0; performance.now() < end; i = (i + 1) % bodies.length) {
    const body = bodies[i] as Buffer;
    const start = performance.now();
    const lines = harness.run(body);
    rates.push((lines / (performance.now() - start)) * 1000);
    bytes = body.length / lines;
  }
  rates.sort((a, b) => a - b);
  const median = rates[rates.length >> 1] ?? 0;
  return {
    shape,
    batch,
    rowsPerSec: Math.round(median),
    best: Math.round(rates.at(-1) ?? 0),
    mbPerSec: Math.round((median * bytes) / 1e6),
    bytesPerRow: Math.round(bytes),
  };
}

/** Cuts a body into batches of `rows` lines. */
function split(body: Buffer, rows: number): Buffer[] {
  const bodies: Buffer[] = [];
  let start = 0;
  let lines = 0;
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== 0x0a || ++lines % rows !== 0) continue;
    bodies.push(body.subarray(start, i + 1));
    start = i + 1;
  }
  return bodies;
}

main();
