/**
 * The program with a DuckDB that dies on demand: with each SIGUSR2 the open instance meets a fatal failure, and from then on
 * every call of it fails. For tests that spawn it.
 */
import { main } from '../../src/cli/main.ts';
import { Engine } from '../../src/duckdb/index.ts';

const open = Engine.open.bind(Engine);
let current: Engine | undefined;

Engine.open = async (options) => {
  current = await open(options);
  return current;
};
process.on('SIGUSR2', () => current?.noticeFailure(new Error('FATAL Error: the test wants it')));

await main();
