// The runner's own "spec" report, with its closing counts after the details of failures, so that they are always last.
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

const isCount = (event) =>
  event.type === 'test:diagnostic' &&
  event.data.nesting === 0 &&
  /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [0-9.]+$/.test(event.data.message);

export default async function* report(source) {
  const counts = [];
  async function* withoutCounts() {
    for await (const event of source) {
      if (isCount(event)) counts.push(event.data.message);
      else yield event;
    }
  }
  // The counts come last, so everything before them has been seen when they are printed.
  yield* Readable.from(withoutCounts()).compose(typeof spec === 'function' ? new spec() : spec);
  for (const count of counts) yield `ℹ ${count}\n`;
}
