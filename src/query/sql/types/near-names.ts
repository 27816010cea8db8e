/** Names that somebody may have meant, for the last line of an error. */

/** Names are compared up to this length. */
const COMPARED_CHARS = 64;
/** A beginning is less like a name than the name with one letter wrong. */
const PREFIX_DISTANCE = 1.5;
/** Shorter names are like too many others. */
const NAME_CHARS_MIN = 3;

/**
 * The name that is most like one that is not there: one letter wrong, missing, too many or swapped in three, other capitals, or the
 * beginning of the other. Undefined = none is like it.
 */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length < NAME_CHARS_MIN) return undefined;
  let best: string | undefined;
  let distance = Math.max(PREFIX_DISTANCE, Math.floor(name.length / 3)) + 0.5;
  for (const candidate of candidates) {
    if (candidate === name || candidate.length < NAME_CHARS_MIN) continue;
    const next = distanceOf(name, candidate);
    if (next < distance) {
      best = candidate;
      distance = next;
    }
  }
  return best;
}

/** The hint as a line of its own, behind the text that clients know. */
export function didYouMean(name: string | undefined): string {
  return name === undefined ? '' : `\nDid you mean '${name}'?`;
}

function distanceOf(a: string, b: string): number {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  if (x === y) return 0;
  return x.startsWith(y) || y.startsWith(x) ? PREFIX_DISTANCE : editDistance(x, y);
}

/** Letters to change, insert, leave out or swap with the next one. */
export function editDistance(a: string, b: string): number {
  const [x, y] = [a.slice(0, COMPARED_CHARS), b.slice(0, COMPARED_CHARS)];
  let before: number[] = [];
  let row = Array.from({ length: y.length + 1 }, (_, index) => index);
  for (let i = 1; i <= x.length; i++) {
    const next = [i];
    for (let j = 1; j <= y.length; j++) {
      const cost = x[i - 1] === y[j - 1] ? 0 : 1;
      const changed = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + cost);
      const isSwap = i > 1 && j > 1 && x[i - 1] === y[j - 2] && x[i - 2] === y[j - 1];
      next.push(isSwap ? Math.min(changed, (before[j - 2] as number) + 1) : changed);
    }
    before = row;
    row = next;
  }
  return row[y.length] as number;
}
