import { writeTooSparse } from './errors.ts';

const BASE_BYTES = 256 * 1024 * 1024;
const BYTES_PER_BODY_BYTE = 32;

/** Counts the memory of the parser's column arrays and refuses what a body cannot justify. */
export class MemoryBudget {
  /** Bytes held by all columns of the parser. */
  usedBytes = 0;
  /** What any body may take. */
  readonly baseBytes: number;
  #bytesMax: number;

  /** @param baseBytes what any body may take, however small it is; 256 MiB by default */
  constructor(baseBytes: number = BASE_BYTES) {
    this.baseBytes = baseBytes;
    this.#bytesMax = baseBytes;
  }

  /** Sets the limit for a body of this many bytes: columns times rows of a sparse write grow much faster than the body. */
  begin(bodyBytes: number): void {
    this.#bytesMax = this.baseBytes + bodyBytes * BYTES_PER_BODY_BYTE;
  }

  /** Takes `bytes` more (or gives back, when negative). Throws `WRITE_TOO_SPARSE` over the limit. */
  take(bytes: number): void {
    if (bytes > 0 && this.usedBytes + bytes > this.#bytesMax) throw writeTooSparse(this.#bytesMax);
    this.usedBytes += bytes;
  }
}
