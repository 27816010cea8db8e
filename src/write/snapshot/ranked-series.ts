import { type Engine, sqlIdentifier } from '../../engine/index.ts';
import { bufferColumn } from '../buffer/index.ts';
import type { TableSchema } from '../catalog/schema.ts';

/**
 * Values that a tag may have to be an enumeration while files are written: its values are the dictionary of each row group then,
 * and the writer need not look every text up to make one.
 */
const ENUMERATED_VALUES_MAX = 8192;

/** The series of a table in the order of their tags, for the files of one snapshot: an engine table `(sid, series_rank, c<tag column id>...)`. */
export class RankedSeries {
  readonly engineTable: string;
  readonly #engine: Engine;
  readonly #types: readonly string[];

  private constructor(engine: Engine, engineTable: string, types: readonly string[]) {
    this.#engine = engine;
    this.engineTable = engineTable;
    this.#types = types;
  }

  /** @param seriesTable engine table `(sid, c<tag column id>...)`; one at a time may be ranked */
  static async create(engine: Engine, table: TableSchema, seriesTable: string): Promise<RankedSeries> {
    const tags = table.seriesKey.map((tag) => bufferColumn(tag.id));
    const counts = await distinctValues(engine, tags, seriesTable);
    const typeOf = (tag: string): string => `${seriesTable}_${tag}`;
    const enumerated = tags.filter((_, i) => (counts[i] as number) <= ENUMERATED_VALUES_MAX);
    const ranked = new RankedSeries(engine, `${seriesTable}_ranked`, enumerated.map(typeOf));
    try {
      for (const tag of enumerated) {
        const values = `SELECT DISTINCT ${tag} FROM ${sqlIdentifier(seriesTable)} WHERE ${tag} IS NOT NULL ORDER BY 1`;
        await engine.run(`CREATE TYPE ${sqlIdentifier(typeOf(tag))} AS ENUM (${values})`);
      }
      const order = tags.map((tag) => `${tag} ASC NULLS FIRST`).join(', ');
      const values = tags.map((tag) => (enumerated.includes(tag) ? `${tag}::${sqlIdentifier(typeOf(tag))} AS ${tag}` : tag));
      await engine.run(
        `CREATE TABLE ${sqlIdentifier(ranked.engineTable)} AS ` +
          `SELECT sid, (row_number() OVER (ORDER BY ${order}))::INTEGER AS series_rank, ${values.join(', ')} ` +
          `FROM ${sqlIdentifier(seriesTable)}`,
      );
      return ranked;
    } catch (error) {
      await ranked.drop().catch(() => undefined); // the first failure is the one to report
      throw error;
    }
  }

  async drop(): Promise<void> {
    await this.#engine.run(`DROP TABLE IF EXISTS ${sqlIdentifier(this.engineTable)}`);
    for (const type of this.#types) await this.#engine.run(`DROP TYPE IF EXISTS ${sqlIdentifier(type)}`);
  }
}

/** About how many values each tag has. */
async function distinctValues(engine: Engine, tags: readonly string[], seriesTable: string): Promise<number[]> {
  const connection = await engine.acquire();
  try {
    const counts = tags.map((tag) => `approx_count_distinct(${tag})`).join(', ');
    const reader = await connection.runAndReadAll(`SELECT ${counts} FROM ${sqlIdentifier(seriesTable)}`);
    return (reader.getRows()[0] ?? []).map(Number);
  } finally {
    engine.release(connection);
  }
}
