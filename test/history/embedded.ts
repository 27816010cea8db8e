/** A process of its own that embeds the server: `embedded.js DIRECTORY --option value ...`. Writes come as messages. */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Embed from '../../src/embed/index.ts';
import { BIN } from '../support/server.ts';
import type { EmbeddedMessage, EmbeddedWrite } from './host.ts';

const { startInfluxDB3, ServerError } = (await import(
  pathToFileURL(join(dirname(BIN), '..', 'dist', 'bundle', 'embed.js')).href
)) as typeof Embed;

const [directory = '', ...args] = process.argv.slice(2);
const server = await startInfluxDB3({
  dataDir: directory,
  nodeId: 'test',
  logLevel: 'info',
  onLogLine: (line) => void process.stdout.write(line),
  serveOptions: optionsOf(args),
});

const say = (message: EmbeddedMessage): void => {
  process.send?.(message);
};

process.on('message', async ({ id, database, lines, precision }: EmbeddedWrite & { id: number }) => {
  try {
    await server.write(database, lines, { precision: precision === 'ns' ? 'nanosecond' : 'microsecond' });
    say({ id, status: 204, text: '' });
  } catch (error) {
    if (error instanceof ServerError) say({ id, status: error.status, text: error.message });
    else say({ id, status: 599, text: String(error) });
  }
});
process.once('disconnect', () => process.exit(1)); // whoever started it is gone
process.once('SIGTERM', async () => {
  await server.stop();
  process.exit(0);
});
say({ url: server.url });

function optionsOf(words: readonly string[]): Record<string, string | boolean> {
  const options: Record<string, string | boolean> = {};
  words.forEach((word, i) => {
    if (!word.startsWith('--')) return;
    const next = words[i + 1];
    options[word.slice(2)] = next === undefined || next.startsWith('--') ? true : next;
  });
  return options;
}
