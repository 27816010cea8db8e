/**
 * Running minimum, maximum and average. Every kind steps its average the way the wire figures do: whole numbers
 * truncate each step (so the average moves towards the newest value and sticks when it is near), floats round to
 * 32 bits after every operation.
 */

/** What a payload shows of a series of values. All zero before the first value. */
export interface Summary {
  readonly min: number;
  readonly max: number;
  readonly avg: number;
}

/** Statistics over non-negative safe integers. */
export class IntStats implements Summary {
  min = 0;
  max = 0;
  avg = 0;
  count = 0;

  update(value: number): void {
    this.merge(value, value, value);
  }

  /** Takes in another summary as one value; its own count is ignored. */
  roll(inner: Summary): void {
    this.merge(inner.min, inner.max, inner.avg);
  }

  reset(): void {
    this.min = this.max = this.avg = this.count = 0;
  }

  private merge(min: number, max: number, avg: number): void {
    if (this.count === 0) {
      this.min = min;
      this.max = max;
      this.avg = avg;
    } else {
      this.min = Math.min(this.min, min);
      this.max = Math.max(this.max, max);
      this.avg = stepInt(this.count, this.avg, avg);
    }
    this.count += 1;
  }
}

/** Statistics over 32-bit floats. */
export class FloatStats implements Summary {
  min = 0;
  max = 0;
  avg = 0;
  count = 0;

  update(value: number): void {
    const v = Math.fround(value);
    if (this.count === 0) {
      this.min = this.max = this.avg = v;
    } else {
      this.min = Math.min(this.min, v);
      this.max = Math.max(this.max, v);
      this.avg = stepFloat(this.count, this.avg, v);
    }
    this.count += 1;
  }

  reset(): void {
    this.min = this.max = this.avg = this.count = 0;
  }
}

function stepInt(count: number, avg: number, value: number): number {
  const divisor = count + 1;
  return value < avg ? avg - truncatedQuotient(avg - value, divisor) : avg + truncatedQuotient(value - avg, divisor);
}

/** Exact for safe integers, where dividing first and flooring later can round up. */
function truncatedQuotient(dividend: number, divisor: number): number {
  return (dividend - (dividend % divisor)) / divisor;
}

function stepFloat(count: number, avg: number, value: number): number {
  const divisor = Math.fround(count + 1);
  if (value < avg) return Math.fround(avg - Math.fround(Math.fround(avg - value) / divisor));
  return Math.fround(avg + Math.fround(Math.fround(value - avg) / divisor));
}
