/** What a combined signal waits for. Node.js holds it weakly: once collected it never ends anything (nodejs/node#57736, #65995). */
const held = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/** `AbortSignal.any` that keeps its sources for as long as it lives. */
export function anySignal(...sources: readonly AbortSignal[]): AbortSignal {
  const any = AbortSignal.any([...sources]);
  held.set(any, sources);
  return any;
}
