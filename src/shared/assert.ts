/** Stops the operation when our own reasoning was wrong. Never for input from outside. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`internal error: ${message}`);
}

/** Ends a `switch` over a union: the compiler proves that every kind is handled. */
export function unreachable(value: never): never {
  throw new Error(`internal error: unexpected value ${String(value)}`);
}
