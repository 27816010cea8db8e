import { FloatStats, IntStats } from './stats.ts';

/** Sums stop here instead of losing exactness. */
const SUM_MAX = Number.MAX_SAFE_INTEGER;

/** Events of the running minute. */
export class MinuteBucket {
  readonly lines = new IntStats();
  readonly bytes = new IntStats();
  writeRequests = 0;
  queryRequests = 0;
  lineSum = 0;
  byteSum = 0;

  recordWrite(lines: number, bytes: number): void {
    this.writeRequests += 1;
    this.lines.update(lines);
    this.bytes.update(bytes);
    this.lineSum = add(this.lineSum, lines);
    this.byteSum = add(this.byteSum, bytes);
  }

  recordQuery(): void {
    this.queryRequests += 1;
  }

  reset(): void {
    this.lines.reset();
    this.bytes.reset();
    this.writeRequests = this.queryRequests = this.lineSum = this.byteSum = 0;
  }
}

/** Minutes since the last payload was taken. */
export class HourWindow {
  readonly cpu = new FloatStats();
  readonly memoryMib = new IntStats();
  readonly lines = new IntStats();
  readonly bytes = new IntStats();
  readonly writeRequests = new IntStats();
  readonly queryRequests = new IntStats();
  lineSum = 0;
  byteSum = 0;
  writeRequestSum = 0;
  queryRequestSum = 0;

  /** Takes the minute in, idle or not: an idle minute pulls the figures down. */
  rollUp(minute: MinuteBucket): void {
    this.lines.roll(minute.lines);
    this.bytes.roll(minute.bytes);
    this.writeRequests.update(minute.writeRequests);
    this.queryRequests.update(minute.queryRequests);
    this.lineSum = add(this.lineSum, minute.lineSum);
    this.byteSum = add(this.byteSum, minute.byteSum);
    this.writeRequestSum = add(this.writeRequestSum, minute.writeRequests);
    this.queryRequestSum = add(this.queryRequestSum, minute.queryRequests);
  }

  reset(): void {
    for (const stats of [this.cpu, this.memoryMib, this.lines, this.bytes, this.writeRequests, this.queryRequests]) stats.reset();
    this.lineSum = this.byteSum = this.writeRequestSum = this.queryRequestSum = 0;
  }
}

function add(sum: number, value: number): number {
  return Math.min(SUM_MAX, sum + value);
}
