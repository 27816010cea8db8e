/**
 * Names under which DuckDB can keep columns apart: it compares names without regard to case, takes no empty ones, and reads a
 * statement up to its first NUL only. Names stay as they are unless one of that is in the way; the first of several equal
 * ones keeps its name. Deterministic.
 * @param suffix of the n-th attempt (from 1) to tell the name at `index` apart
 */
export function uniqueNames(
  names: readonly string[],
  suffix: (index: number, n: number) => number | string = (_, n) => n,
): readonly string[] {
  const plain = names.map((name) => (name === '' ? '__empty' : name.replaceAll('\0', NUL_PICTURE)));
  const taken = new Set(plain.map(fold));
  const used = new Set<string>();
  return plain.map((name, index) => {
    let candidate = name;
    for (let n = 1; used.has(fold(candidate)) || (candidate !== name && taken.has(fold(candidate))); n++) {
      candidate = `${name}__${suffix(index, n)}`;
    }
    used.add(fold(candidate));
    return candidate;
  });
}

/** The character that stands for NUL. */
const NUL_PICTURE = '\u2400';

function fold(name: string): string {
  return name.toLowerCase();
}
