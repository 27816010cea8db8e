import { type Engine, sqlIdentifier } from '../../duckdb/index.ts';

/** More values make a dictionary that is larger than what it spares: each row group holds all of it. */
const ENUMERATED_VALUES_MAX = 8192;

/** With so many combinations of the tags before it in the order of the rows, a tag's values are mixed in every row group. */
const COMBINATIONS_BEFORE_MIN = 32;

/**
 * Engine types for tags of few values while rows with them are sorted and written. Enumerated tags are small numbers instead
 * of texts: they take little memory, sort in the order of their texts, and are the dictionary of the file as they are.
 */
export class TagEnumerations {
  readonly #engine: Engine;
  /** Type by tag column, both as DuckDB names them. */
  readonly #types: ReadonlyMap<string, string>;

  private constructor(engine: Engine, types: ReadonlyMap<string, string>) {
    this.#engine = engine;
    this.#types = types;
  }

  /**
   * The minimum and maximum of an enumerated tag are those of its type, so readers cannot leave out row groups by them: the
   * tags that lead the order of the rows stay texts.
   * @param tags names of the columns, in the order by which rows are sorted
   * @param source table or parenthesised query with these columns
   * @param prefix of the types' names: nobody else may use it until `drop`; what a failed `drop` left is replaced
   */
  static async create(engine: Engine, tags: readonly string[], source: string, prefix: string): Promise<TagEnumerations> {
    const counts = await distinctValues(engine, tags, source);
    const few = tags.filter((_, i) => isMixed(counts.slice(0, i)) && (counts[i] as number) <= ENUMERATED_VALUES_MAX);
    const enumerations = new TagEnumerations(engine, new Map(few.map((tag) => [tag, `${prefix}_${tag}`])));
    try {
      for (const [tag, type] of enumerations.#types) {
        const values = `SELECT DISTINCT ${tag} FROM ${source} WHERE ${tag} IS NOT NULL ORDER BY 1`;
        await engine.run(`CREATE OR REPLACE TYPE ${sqlIdentifier(type)} AS ENUM (${values})`);
      }
    } catch (error) {
      await enumerations.drop().catch(() => undefined); // the first failure is the one to report
      throw error;
    }
    return enumerations;
  }

  /** SQL of a tag's value as its enumeration, or as it is when it has too many values. */
  cast(tag: string, value: string): string {
    const type = this.#types.get(tag);
    return type === undefined ? value : `${value}::${sqlIdentifier(type)}`;
  }

  /** Frees the types; nothing may use them any more. */
  async drop(): Promise<void> {
    for (const type of this.#types.values()) await this.#engine.run(`DROP TYPE IF EXISTS ${sqlIdentifier(type)}`);
  }
}

/** @param countsBefore numbers of values of the tags before it in the order of the rows */
function isMixed(countsBefore: readonly number[]): boolean {
  return countsBefore.reduce((product, count) => product * Math.max(1, count), 1) >= COMBINATIONS_BEFORE_MIN;
}

/** About how many values each column has. */
async function distinctValues(engine: Engine, columns: readonly string[], source: string): Promise<number[]> {
  if (columns.length === 0) return [];
  const connection = await engine.acquire();
  try {
    const counts = columns.map((column) => `approx_count_distinct(${column})`).join(', ');
    const reader = await connection.runAndReadAll(`SELECT ${counts} FROM ${source}`);
    return (reader.getRows()[0] ?? []).map(Number);
  } finally {
    engine.release(connection);
  }
}
