/** What a combined signal waits for. Node.js holds it weakly: once collected it never ends anything (nodejs/node#57736, #65995). */
const held = new WeakMap<AbortSignal, readonly AbortSignal[]>();

/** `AbortSignal.any` that keeps its sources for as long as it lives. */
export function anySignal(...sources: readonly AbortSignal[]): AbortSignal {
  const any = AbortSignal.any([...sources]);
  held.set(any, sources);
  return any;
}

/**
 * What `work` gives, or a rejection with the reason of `signal` as soon as that aborts: for work that cannot be told to end.
 * @param late gets what the work gives after that
 */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, late?: (value: T) => void): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    let left = false;
    const leave = (): void => {
      left = true;
      reject(signal.reason);
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    const done = (): void => signal.removeEventListener('abort', leave);
    work.then(
      (value) => {
        done();
        if (left) late?.(value);
        else resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error);
      },
    );
  });
}
