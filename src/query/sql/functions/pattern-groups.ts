/** Groups of regular expressions, found without running them. */

/** Capturing groups of a pattern. */
export function captureGroups(pattern: string): number {
  return openings(pattern).filter(({ captures }) => captures).length;
}

interface Opening {
  /** Place of the bracket, and of the first character inside. */
  readonly at: number;
  readonly from: number;
  readonly captures: boolean;
  /** Places of the groups around it, outermost first, in the list of openings. */
  readonly around: readonly number[];
  /** What closes it; where it is not closed, the end. */
  end: number;
  /** There are alternatives in it, at its own level. */
  hasAlternatives: boolean;
}

/** Opening brackets that are neither escaped nor in a class. */
function openings(pattern: string): readonly Opening[] {
  const found: Opening[] = [];
  const open: number[] = [];
  let inClass = false;
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at];
    if (char === '\\') at++;
    else if (inClass) inClass = char !== ']';
    else if (char === '[') inClass = true;
    else if (char === '|' && open.length > 0) (found[open.at(-1) as number] as Opening).hasAlternatives = true;
    else if (char === ')') {
      const last = open.pop();
      if (last !== undefined) (found[last] as Opening).end = at;
    } else if (char === '(') {
      const head = /^\(\?(?:P?<\w+>|[a-zA-Z-]*:)/.exec(pattern.slice(at))?.[0] ?? '(';
      const captures = pattern[at + 1] !== '?' || head.includes('<');
      found.push({ at, from: at + head.length, captures, around: [...open], end: pattern.length, hasAlternatives: false });
      open.push(found.length - 1);
    }
  }
  return found;
}

/**
 * The pattern with groups of their own for what stands before a capturing group, and their numbers: where it begins in a match is
 * the sum of their lengths. Undefined where a match need not go through that group exactly once: among alternatives, or repeated.
 * @param group counted from 1
 */
export function patternBeforeGroup(
  pattern: string,
  group: number,
): { readonly pattern: string; readonly before: readonly number[] } | undefined {
  const all = openings(pattern);
  const target = all.filter(({ captures }) => captures)[group - 1];
  if (target === undefined || hasAlternatives(pattern)) return undefined;
  const path = [...target.around.map((at) => all[at] as Opening), target];
  if (path.some((each) => '?*+{'.includes(pattern[each.end + 1] ?? ' ') && each.end < pattern.length)) return undefined;
  if (path.slice(0, -1).some((each) => each.hasAlternatives)) return undefined;
  const starts = [0, ...path.slice(0, -1).map(({ from }) => from)];
  const ends = path.map(({ at }) => at);
  let text = '';
  let number = 0;
  const before: number[] = [];
  const opens = new Map(all.map((each) => [each.at, each]));
  for (let at = 0; at <= pattern.length; at++) {
    if (ends.includes(at) && !starts.includes(at)) text += ')';
    if (starts.includes(at)) {
      text += '(';
      before.push(++number);
      if (ends.includes(at)) text += ')';
    }
    if (opens.get(at)?.captures === true) number++;
    text += pattern[at] ?? '';
  }
  return { pattern: text, before };
}

/** Alternatives outside of all groups. */
function hasAlternatives(pattern: string): boolean {
  const [only] = openings(`(${pattern})`);
  return only?.hasAlternatives === true;
}
