import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A function that collects young garbage, about a millisecond of work; one that does nothing where V8 cannot. */
export function youngCollector(): () => void {
  let collect: (() => void) | undefined;
  return () => {
    collect ??= findCollector();
    collect();
  };
}

/** V8 hands its collector to contexts that are made while the flag is on. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  try {
    const gc: unknown = runInNewContext('gc');
    return typeof gc === 'function' ? () => void gc({ type: 'minor' }) : () => {};
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
