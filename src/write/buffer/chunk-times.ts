/**
 * The gen1 chunk of times, without a BigInt per row. A chunk is `[start, start + duration)`, start = time rounded
 * down to a multiple of the duration (also before 1970).
 */
export class ChunkTimes {
  readonly durationNs: bigint;
  /** Bounds of the chunk found last, as 32-bit halves. */
  #startHi = 1;
  #startLo = 0;
  #endHi = -1;
  #endLo = 0;
  #start = 0n;

  constructor(durationNs: bigint) {
    this.durationNs = durationNs;
  }

  /** Start of the chunk that holds a time. */
  startOf(timeNs: bigint): bigint {
    return chunkStart(timeNs, this.durationNs);
  }

  /** Start of the chunk that holds a time given as signed high and unsigned low half. */
  startOfHalves(hi: number, lo: number): bigint {
    const afterStart = hi > this.#startHi || (hi === this.#startHi && lo >= this.#startLo);
    const beforeEnd = hi < this.#endHi || (hi === this.#endHi && lo < this.#endLo);
    if (afterStart && beforeEnd) return this.#start;
    const start = chunkStart((BigInt(hi) << 32n) | BigInt(lo), this.durationNs);
    const end = start + this.durationNs;
    this.#start = start;
    this.#startHi = Number(start >> 32n);
    this.#startLo = Number(start & 0xffffffffn);
    this.#endHi = Number(end >> 32n);
    this.#endLo = Number(end & 0xffffffffn);
    return start;
  }
}

/** Start of the chunk that holds `timeNs`. */
export function chunkStart(timeNs: bigint, durationNs: bigint): bigint {
  const rest = timeNs % durationNs;
  return timeNs - (rest < 0n ? rest + durationNs : rest);
}
