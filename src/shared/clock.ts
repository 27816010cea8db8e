/** Where time comes from. Tests own it; the server uses `systemClock`. */
export interface Clock {
  /** Wall clock, nanoseconds since the epoch. */
  nowNs(): bigint;
  /** Wall clock, milliseconds since the epoch. */
  nowMs(): number;
  /** Monotonic milliseconds, for durations only. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  nowNs: () => BigInt(Date.now()) * 1_000_000n,
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};
