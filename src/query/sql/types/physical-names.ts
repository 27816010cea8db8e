/**
 * DuckDB compares names without regard to case, users do not. Columns that collide get another name inside.
 */

/**
 * The engine's name of each column of one relation: the same name unless another one differs only in case, then
 * `<name>__<n>` for all but the first (in the order given). Deterministic, so scan and compiler agree.
 */
export function physicalNames(columns: readonly string[]): ReadonlyMap<string, string> {
  const unique = uniqueNames(columns);
  return new Map(columns.map((column, index) => [column, unique[index] as string]));
}

/** The same for a list that may also repeat names. */
export function uniqueNames(names: readonly string[]): readonly string[] {
  const taken = new Set(names.map(fold));
  const used = new Set<string>();
  return names.map((name) => {
    let candidate = name === '' ? '__empty' : name;
    for (let n = 1; used.has(fold(candidate)) || (candidate !== name && taken.has(fold(candidate))); n++) candidate = `${name}__${n}`;
    used.add(fold(candidate));
    return candidate;
  });
}

function fold(name: string): string {
  return name.toLowerCase();
}
