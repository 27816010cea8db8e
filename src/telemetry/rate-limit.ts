/** Callers told apart; beyond that everybody new shares one allowance. */
const CALLERS_MAX = 10_000;

const SHARED = '';

interface Allowance {
  left: number;
  sinceMs: number;
}

/** At most `perMinute` calls a minute for each caller, with bursts of that size. Memory is bounded. */
export class RateLimit {
  private readonly perMinute: number;
  private readonly callers = new Map<string, Allowance>();

  constructor(perMinute: number) {
    this.perMinute = perMinute;
  }

  /** False when the caller has used its allowance up. `nowMs` monotonic. */
  take(caller: string, nowMs: number): boolean {
    if (this.callers.size >= CALLERS_MAX) this.forgetRested(nowMs);
    const key = this.callers.has(caller) || this.callers.size < CALLERS_MAX ? caller : SHARED;
    const allowance = this.callers.get(key) ?? { left: this.perMinute, sinceMs: nowMs };
    const earned = ((nowMs - allowance.sinceMs) / 60_000) * this.perMinute;
    const left = Math.min(this.perMinute, allowance.left + earned);
    const allowed = left >= 1;
    this.callers.set(key, { left: allowed ? left - 1 : left, sinceMs: nowMs });
    return allowed;
  }

  private forgetRested(nowMs: number): void {
    for (const [caller, allowance] of this.callers) if (nowMs - allowance.sinceMs >= 60_000) this.callers.delete(caller);
  }
}
